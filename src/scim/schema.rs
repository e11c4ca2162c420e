//! Schemas and resource types (RFC 7643 sections 2, 6 and 7).
//!
//! The JSON files under `schemas/` are the only list of attributes in the
//! program. Validation, PATCH, filters, projection and `/Schemas` all read
//! them through the types here, so an attribute that is published is an
//! attribute that works.

use super::urn;
use serde::Deserialize;
use std::sync::{Arc, LazyLock};

/// An attribute's data type, RFC 7643 section 2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Type {
    /// A sequence of Unicode characters.
    String,
    /// `true` or `false`.
    Boolean,
    /// A number with a fraction.
    Decimal,
    /// A whole number.
    Integer,
    /// An `xsd:dateTime`.
    DateTime,
    /// Base64 of arbitrary bytes.
    Binary,
    /// A URI of a resource.
    Reference,
    /// An object of sub-attributes.
    Complex,
}

/// Who may write an attribute, RFC 7643 section 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// Only the service provider.
    ReadOnly,
    /// The client, at any time.
    ReadWrite,
    /// The client, once.
    Immutable,
    /// The client, and nobody may read it.
    WriteOnly,
}

/// When an attribute is part of an answer, RFC 7643 section 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    /// Whatever the client asks for.
    Always,
    /// Under no circumstances.
    Never,
    /// Unless the client excludes it or names others.
    Default,
    /// Only when the client names it.
    Request,
}

/// One attribute and its characteristics, RFC 7643 section 7.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attribute {
    /// The name as published; compared ignoring case.
    pub name: String,
    /// The data type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Whether there may be several values.
    pub multi_valued: bool,
    /// Whether a resource must have a value.
    pub required: bool,
    /// Whether text compares exactly; otherwise case is ignored.
    #[serde(default)]
    pub case_exact: bool,
    /// Who may write it.
    pub mutability: Mutability,
    /// When it is part of an answer.
    pub returned: Returned,
    /// The parts of a complex attribute.
    #[serde(default)]
    pub sub_attributes: Vec<Attribute>,
}

impl Attribute {
    /// The sub-attribute of this name, ignoring case.
    pub fn sub(&self, name: &str) -> Option<&Attribute> {
        find(&self.sub_attributes, name)
    }

    /// Whether a body's value for it is dropped without a word: what only we
    /// write, and what nobody may ever read, such as `password`.
    pub fn is_ignored_in_bodies(&self) -> bool {
        self.mutability == Mutability::ReadOnly || self.returned == Returned::Never
    }
}

/// The attribute of this name in a list, ignoring case (RFC 7643 section 2.1).
pub fn find<'s>(attributes: &'s [Attribute], name: &str) -> Option<&'s Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// A schema: a URN and the attributes under it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Schema {
    /// The URN; empty for the common attributes, which belong to no schema.
    #[serde(default)]
    pub id: String,
    /// The attributes, in the order in which resources show them.
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// Reads a schema's JSON. What is none gives an empty schema, since the
    /// program must not stop; a test holds that our files all parse, and what
    /// teams register is checked when they do.
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// How what clients send is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// With the tolerances that clients in the field need.
    #[default]
    Tolerant,
    /// As the RFCs have it, and draft-zollner-scim-interop-profile.
    Strict,
}

impl Reading {
    /// Whether a deviation is refused.
    pub fn is_strict(self) -> bool {
        self == Self::Strict
    }
}

/// A type of resource as a team has it: its endpoint, core schema and
/// extensions, and how messages about it are read.
#[derive(Clone, Debug)]
pub struct ResourceType {
    /// The name, which is also its `id` and `meta.resourceType`.
    pub name: &'static str,
    /// The endpoint below the base URL, with its slash.
    pub endpoint: &'static str,
    /// The core schema.
    pub core: &'static Schema,
    /// The extensions, none of them required.
    pub extensions: Vec<Arc<Schema>>,
    /// How messages about it are read.
    pub reading: Reading,
    /// `schemas`, `id`, `externalId` and `meta`, RFC 7643 section 3.1.
    common: &'static Schema,
}

impl ResourceType {
    /// The core or common attribute of this name, ignoring case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        find(&self.core.attributes, name).or_else(|| find(&self.common.attributes, name))
    }

    /// The same type with further extensions, read so.
    #[must_use]
    pub fn with(&self, reading: Reading, more: impl IntoIterator<Item = Arc<Schema>>) -> Self {
        let mut own = Self { reading, ..self.clone() };
        own.extensions.extend(more);
        own
    }

    /// Whether there are attributes that are returned on request alone.
    pub fn has_on_request(&self) -> bool {
        let mut attributes = self.extensions.iter().flat_map(|schema| &schema.attributes);
        attributes.any(|attribute| attribute.returned == Returned::Request)
    }

    /// The extension with this URN, or a name that clients use for it.
    pub fn extension(&self, urn: &str) -> Option<&Schema> {
        let urn = if self.reading.is_strict() { urn } else { urn::current(urn) };
        let named = |extension: &&Arc<Schema>| extension.id.eq_ignore_ascii_case(urn);
        self.extensions.iter().find(named).map(|extension| &**extension)
    }

    /// Whether this URN is the core schema's, or a name clients use for it.
    pub fn is_core(&self, urn: &str) -> bool {
        let is_former = !self.reading.is_strict() && urn::current(urn) == urn::CORE_1;
        is_former || self.core.id.eq_ignore_ascii_case(urn)
    }

    /// The attributes a body may set outside of extensions, in the order in
    /// which a resource shows them: common ones first.
    pub fn plain_attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.common.attributes.iter().chain(&self.core.attributes)
    }
}

/// The text of `schemas/user.json`.
pub const USER_JSON: &str = include_str!("../../schemas/user.json");
/// The text of `schemas/enterprise-user.json`.
pub const ENTERPRISE_USER_JSON: &str = include_str!("../../schemas/enterprise-user.json");
/// The text of `schemas/group.json`.
pub const GROUP_JSON: &str = include_str!("../../schemas/group.json");
/// The text of `schemas/common.json`, which is not published.
pub const COMMON_JSON: &str = include_str!("../../schemas/common.json");
/// The text of `schemas/service-provider-config.json`.
pub const SERVICE_PROVIDER_CONFIG_JSON: &str =
    include_str!("../../schemas/service-provider-config.json");
/// The text of `schemas/resource-type.json`.
pub const RESOURCE_TYPE_JSON: &str = include_str!("../../schemas/resource-type.json");
/// The text of `schemas/schema.json`.
pub const SCHEMA_JSON: &str = include_str!("../../schemas/schema.json");

/// The resource type of people, as every team has it.
pub fn user() -> &'static ResourceType {
    static USER: LazyLock<ResourceType> = LazyLock::new(|| {
        let enterprise = Arc::new(Schema::read(ENTERPRISE_USER_JSON));
        built_in("User", "/Users", &CORE_USER, vec![enterprise])
    });
    &USER
}

/// The resource type of groups, as every team has it.
pub fn group() -> &'static ResourceType {
    static GROUP: LazyLock<ResourceType> =
        LazyLock::new(|| built_in("Group", "/Groups", &CORE_GROUP, Vec::new()));
    &GROUP
}

static COMMON: LazyLock<Schema> = LazyLock::new(|| Schema::read(COMMON_JSON));
static CORE_USER: LazyLock<Schema> = LazyLock::new(|| Schema::read(USER_JSON));
static CORE_GROUP: LazyLock<Schema> = LazyLock::new(|| Schema::read(GROUP_JSON));

fn built_in(
    name: &'static str,
    endpoint: &'static str,
    core: &'static Schema,
    extensions: Vec<Arc<Schema>>,
) -> ResourceType {
    let common = &COMMON;
    ResourceType { name, endpoint, core, extensions, reading: Reading::Tolerant, common }
}
