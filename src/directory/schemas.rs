//! The schemas of one team: the built-in ones, those it registered itself, and
//! how strictly it reads.
//!
//! In scope: putting them together for a request, and what equality finds by
//! the `lookup` table. Out of scope: registering them (`extensions`). A team
//! without any of its own, which is most, shares one value and reads nothing.

use super::Context;
use super::extensions::{self, Extension, State};
use super::lookup::{self, Lookup};
use super::resource::Kind;
use super::sql::{Row, SqlError};
use crate::scim::path::Path;
use crate::scim::schema::{self, Reading, ResourceType, Schema};
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

/// What a team's resources look like.
#[derive(Clone, Debug)]
pub struct Schemas {
    user: ResourceType,
    group: ResourceType,
    lookups: Vec<Lookup>,
    /// The team's own extensions that are live, as stored.
    pub(super) registered: Vec<Registered>,
    /// How often the team's own schemas changed: an answer from before a change
    /// is not fresh after it. 0 for a team that never had any.
    pub version: i64,
}

/// An extension of the team's own.
#[derive(Clone, Debug)]
pub(super) struct Registered {
    /// Its row.
    pub(super) seq: i64,
    /// The schema.
    pub(super) schema: Arc<Schema>,
    /// The schema's JSON, as it is published.
    definition: String,
    /// Whether Users have it.
    pub(super) of_users: bool,
    /// Whether Groups have it.
    pub(super) of_groups: bool,
}

impl Registered {
    /// An extension as it was registered, ready to be used.
    pub(super) fn of(own: &Extension) -> Self {
        Self {
            seq: own.seq,
            schema: Arc::new(Schema::read(&own.definition)),
            definition: own.definition.clone(),
            of_users: own.of_users,
            of_groups: own.of_groups,
        }
    }
}

/// What the team's row says of its schemas.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setting {
    /// How it reads.
    pub reading: Reading,
    /// How often its own schemas changed.
    pub version: i64,
}

impl Setting {
    /// Reads the columns `strict` and `schemas_version`.
    pub(super) fn read(row: &mut Row<'_>) -> Result<Self, SqlError> {
        let reading = if row.boolean()? { Reading::Strict } else { Reading::Tolerant };
        Ok(Self { reading, version: row.integer()? })
    }
}

impl Schemas {
    /// The schemas of a team that has none of its own.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Schemas> =
            LazyLock::new(|| Schemas::of(Setting::default(), Vec::new(), Vec::new()));
        &BUILT_IN
    }

    /// The schemas of the team whose storage this is.
    pub fn read(context: &Context<'_>, setting: Setting) -> Result<Cow<'static, Self>, SqlError> {
        if setting.version == 0 {
            return Ok(match setting.reading {
                Reading::Tolerant => Cow::Borrowed(Self::built_in()),
                Reading::Strict => Cow::Owned(Self::of(setting, Vec::new(), Vec::new())),
            });
        }
        let all = extensions::list(context)?;
        let live = || all.iter().filter(|own| own.state == State::Live);
        let registered = live().map(Registered::of).collect();
        let indexed = live().flat_map(|own| {
            let kept = own.indexes.iter().filter(|(_, state)| state != "emptying");
            kept.map(|(name, state)| (own.seq, name.clone(), state == "ready"))
        });
        let indexed = indexed.collect();
        Ok(Cow::Owned(Self::of(setting, registered, indexed)))
    }

    fn of(
        setting: Setting,
        registered: Vec<Registered>,
        indexed: Vec<(i64, String, bool)>,
    ) -> Self {
        let schemas = |wanted: fn(&Registered) -> bool| {
            let wanted = registered.iter().filter(move |own| wanted(own));
            wanted.map(|own| Arc::clone(&own.schema)).collect::<Vec<_>>()
        };
        let mut lookups = lookup::built_in();
        for (seq, name, is_ready) in indexed {
            if let Some(own) = registered.iter().find(|own| own.seq == seq) {
                lookups.push(Lookup::of(own, &name, is_ready));
            }
        }
        Self {
            user: schema::user().with(setting.reading, schemas(|own| own.of_users)),
            group: schema::group().with(setting.reading, schemas(|own| own.of_groups)),
            lookups,
            registered,
            version: setting.version,
        }
    }

    /// The type of these resources.
    pub fn resource_type(&self, kind: Kind) -> &ResourceType {
        match kind {
            Kind::User => &self.user,
            Kind::Group => &self.group,
        }
    }

    /// The JSON of the team's own schemas.
    pub fn definitions(&self) -> impl Iterator<Item = &str> {
        self.registered.iter().map(|own| own.definition.as_str())
    }

    /// Whether resources may have values of extensions beside their documents,
    /// be it of one that is no longer live.
    pub(super) fn has_values(&self) -> bool {
        self.version > 0
    }

    /// The team's own extensions that resources of this type have.
    pub(super) fn own(&self, kind: Kind) -> impl Iterator<Item = &Registered> {
        self.registered.iter().filter(move |own| match kind {
            Kind::User => own.of_users,
            Kind::Group => own.of_groups,
        })
    }

    /// The attributes of this type that equality finds by the `lookup` table.
    pub(super) fn lookups(&self, kind: Kind) -> impl Iterator<Item = &Lookup> {
        self.lookups.iter().filter(move |lookup| match kind {
            Kind::User => lookup.of_users,
            Kind::Group => lookup.of_groups,
        })
    }

    /// The lookup that has every value of this path, if one has.
    pub(super) fn lookup(&self, kind: Kind, path: &Path<'_>) -> Option<&Lookup> {
        self.lookups(kind).find(|lookup| lookup.is_ready && lookup.is_for(path))
    }
}
