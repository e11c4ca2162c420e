//! One team's data, over a small synchronous SQL trait.
//!
//! In scope: members, groups, credentials, settings, audit, and the SQL that
//! keeps them. Out of scope: HTTP and the runtime. Nothing here awaits, so
//! requests to one team never interleave, and each change is one transaction:
//! that is the whole concurrency design.

pub mod activity;
pub mod audit;
pub mod break_glass;
pub mod change;
pub mod credential;
pub mod cursor;
pub mod departures;
pub mod deployment;
pub mod extensions;
pub mod groups;
pub mod keys;
mod lookup;
mod managers;
mod matching;
pub mod members;
pub mod membership;
pub mod migrate;
mod milestones;
mod order;
pub mod plan;
pub mod policy;
pub mod problem;
pub mod registry;
pub mod render;
pub mod resource;
mod role;
pub mod rosters;
pub mod schemas;
mod sealed;
pub mod search;
pub mod seats;
pub mod service_tokens;
pub mod sessions;
pub mod settings;
pub mod sign_in;
pub mod sql;
pub mod sso;
pub mod team;
pub mod team_id;
pub mod throttle;
pub mod tokens;
pub mod transfer;
pub mod upkeep;
pub mod users;
mod values;
mod walk;

pub use deployment::Deployment;
pub use sql::{Sql, SqlError};

use crate::scim::schema::ResourceType;
use crate::scim::{self, Timestamp};
use resource::Kind;
use schemas::Schemas;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::Ipv6Addr;

/// What a request may use of the world: the storage of its team, one reading
/// of the clock, randomness, and the deployment's settings. Nothing in this
/// crate reads a clock or draws a random byte in any other way.
pub struct Context<'a> {
    /// The team's storage.
    pub sql: &'a dyn Sql,
    /// When the request arrived; one value for all of it.
    pub now: Timestamp,
    /// Fills a buffer with bytes from a cryptographically secure source.
    pub random: &'a dyn Fn(&mut [u8]) -> Result<(), Fault>,
    /// The deployment's settings and secrets.
    pub deployment: &'a Deployment,
    /// The team's schemas; the built-in ones until they are read.
    pub schemas: &'a Schemas,
    /// From where the request came, for the audit.
    pub origin: &'a Origin,
}

/// From where a request came, as far as its head says. Nothing is decided by it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Origin {
    /// The client's name for itself, from `User-Agent`.
    pub client: String,
    /// Its address.
    pub ip: String,
    /// Its country, by Cloudflare.
    pub country: String,
    /// The id under which the log has the request.
    pub request_id: String,
}

impl Origin {
    /// The network that it came from, see [`network`].
    pub fn network(&self) -> String {
        network(&self.ip)
    }

    /// Of what no request asked for.
    pub fn none() -> &'static Self {
        static NONE: Origin = Origin {
            client: String::new(),
            ip: String::new(),
            country: String::new(),
            request_id: String::new(),
        };
        &NONE
    }
}

/// What counts as one address where guesses and floods are counted: of IPv6 the
/// first 64 bits, since whoever has one address there has all of its network.
pub fn network(address: &str) -> String {
    let Ok(parsed) = address.parse::<Ipv6Addr>() else { return address.to_owned() };
    if let Some(mapped) = parsed.to_ipv4_mapped() {
        return mapped.to_string();
    }
    let [a, b, c, d, ..] = parsed.segments();
    Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
}

impl<'a> Context<'a> {
    /// The same with the schemas of the team.
    pub fn with_schemas<'s>(&self, schemas: &'s Schemas) -> Context<'s>
    where
        'a: 's,
    {
        Context { schemas, ..*self }
    }

    /// The same for a request from there.
    pub fn with_origin<'s>(&self, origin: &'s Origin) -> Context<'s>
    where
        'a: 's,
    {
        Context { origin, ..*self }
    }

    /// The type of these resources in this team.
    pub fn resource_type(&self, kind: Kind) -> &'a ResourceType {
        self.schemas.resource_type(kind)
    }

    /// Runs `body` as one transaction: all of its writes, or none.
    pub fn transaction<T, R>(
        &self,
        body: impl FnOnce() -> Result<T, Failure<R>>,
    ) -> Result<T, Failure<R>> {
        sql::transaction(self.sql, body)
    }

    /// `N` random bytes.
    pub fn random_bytes<const N: usize>(&self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        (self.random)(&mut bytes)?;
        Ok(bytes)
    }
}

/// Something of ours went wrong. It is logged; the caller sees a bare 500.
#[derive(Debug)]
pub struct Fault(String);

impl Fault {
    /// A fault, told for the log. Never put a secret or a person's data here.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<SqlError> for Fault {
    fn from(error: SqlError) -> Self {
        Self(error.to_string())
    }
}

/// Why an operation did not happen: refused for a reason the caller can act
/// on (`R`, by default a SCIM error), or failed through a fault of ours.
#[derive(Debug)]
pub enum Failure<R = scim::Error> {
    /// The caller's to mend.
    Refused(R),
    /// Ours to mend.
    Fault(Fault),
}

impl From<scim::Error> for Failure<scim::Error> {
    fn from(error: scim::Error) -> Self {
        Self::Refused(error)
    }
}

impl<R> From<Fault> for Failure<R> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<R> From<SqlError> for Failure<R> {
    fn from(error: SqlError) -> Self {
        Self::Fault(error.into())
    }
}
