//! Schema and message URNs, and the older names that clients still send.

/// The core User schema, RFC 7643 section 4.1.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The enterprise extension, RFC 7643 section 4.3.
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The core Group schema, RFC 7643 section 4.2.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The ServiceProviderConfig schema, RFC 7643 section 5.
pub const SERVICE_PROVIDER_CONFIG: &str =
    "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// The ResourceType schema, RFC 7643 section 6.
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// The Schema schema, RFC 7643 section 7.
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
/// A list of resources, RFC 7644 section 3.4.2.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// A search by POST, RFC 7644 section 3.4.3.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// A bulk request, RFC 7644 section 3.7.
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The answer to one.
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// A PATCH request, RFC 7644 section 3.5.2.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// SCIM 1.1's core schema, for users and groups alike. OneLogin's published
/// JSON templates name it in otherwise ordinary 2.0 bodies.
pub const CORE_1: &str = "urn:scim:schemas:core:1.0";
/// SCIM 1.1's enterprise extension, from the same templates.
const ENTERPRISE_1: &str = "urn:scim:schemas:extension:enterprise:1.0";

/// All names under which clients speak of schemas of ours in paths, as
/// prefixes: ours are found in the resource type, these beside them.
pub const FORMER: [&str; 2] = [CORE_1, ENTERPRISE_1];

/// Today's URN for one of SCIM 1.1; any other is returned as it came.
pub fn current(urn: &str) -> &str {
    if urn.eq_ignore_ascii_case(ENTERPRISE_1) {
        ENTERPRISE_USER
    } else if urn.eq_ignore_ascii_case(CORE_1) {
        CORE_1
    } else {
        urn
    }
}
