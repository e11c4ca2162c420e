//! `/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas` (RFC 7644
//! section 4).
//!
//! They describe the software, not a team, so they are answered from the
//! schema files alone: the Worker does it without waking an object when a
//! request carries no key.

use super::answer::{located, refusal, unmet, with_body};
use super::ask::{self, Ask};
use crate::directory::cursor::TIMEOUT_SECONDS;
use crate::directory::resource::Kind;
use crate::directory::schemas::Schemas;
use crate::scim::list::{PAGE_DEFAULT, PAGE_MAX, Page};
use crate::scim::patch::OPERATIONS_MAX;
use crate::scim::schema::{self, Reading, ResourceType};
use crate::scim::{Error, urn};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Answers a discovery request without a key.
pub fn handle(base_url: &str, head: &Parts) -> Response<Vec<u8>> {
    let schemas = Schemas::built_in();
    let answered = Ask::read(head, Vec::new(), Reading::Tolerant)
        .and_then(|ask| answer(base_url, schemas, &ask));
    let mut response =
        answered.unwrap_or_else(|error| refusal(&error, ask::media_type(&head.headers)));
    if head.method == Method::HEAD {
        response.body_mut().clear();
    }
    response
}

/// Answers a discovery request, or 404 for any other path.
pub(super) fn answer(
    base_url: &str,
    schemas: &Schemas,
    ask: &Ask,
) -> Result<Response<Vec<u8>>, Error> {
    let segments: Vec<&str> = ask.segments.iter().map(String::as_str).collect();
    let found = match segments.as_slice() {
        ["ServiceProviderConfig"] => Some(Found::One(service_provider_config(base_url, schemas))),
        ["ResourceTypes"] => Some(Found::All(resource_types(base_url, schemas))),
        ["ResourceTypes", id] => by_id(resource_types(base_url, schemas), id),
        ["Schemas"] => Some(Found::All(published(base_url, schemas))),
        ["Schemas", id] => by_id(published(base_url, schemas), &percent_decoded(id)),
        _ => None,
    };
    let Some(found) = found else {
        return Err(Error::status_only(404, "there is no such endpoint or resource"));
    };
    if !matches!(ask.method, Method::GET | Method::HEAD) {
        return Ok(unmet(ask, "GET, HEAD"));
    }
    if ask.parameters.get("filter")?.is_some() {
        // RFC 7644 section 4: a filter here is answered with 403.
        return Err(Error::status_only(403, "discovery endpoints take no `filter`"));
    }
    Ok(match found {
        Found::One(resource) => {
            let location = resource.pointer("/meta/location").and_then(Value::as_str);
            let response = with_body(StatusCode::OK, ask.media_type, resource.to_string());
            located(location.unwrap_or_default(), response)
        }
        Found::All(resources) => {
            let total = i64::try_from(resources.len()).unwrap_or(i64::MAX);
            let resources = resources.iter().map(Value::to_string).collect();
            let page = Page { total, resources, start_index: Some(1), ..Page::default() };
            with_body(StatusCode::OK, ask.media_type, page.to_json())
        }
    })
}

/// What a discovery path leads to.
enum Found {
    One(Value),
    All(Vec<Value>),
}

fn by_id(resources: Vec<Value>, id: &str) -> Option<Found> {
    let has_id = |resource: &Value| {
        resource.get("id").and_then(Value::as_str).is_some_and(|own| own.eq_ignore_ascii_case(id))
    };
    resources.into_iter().find(has_id).map(Found::One)
}

/// A URN in a path may come with its colons encoded.
fn percent_decoded(segment: &str) -> String {
    // In a form a plus is a space; no URN of ours has either.
    let pair = form_urlencoded::parse(segment.as_bytes()).next();
    pair.map_or_else(String::new, |(name, _)| name.into_owned())
}

/// RFC 7643 section 5, and RFC 9865 section 4 for `pagination`.
fn service_provider_config(base_url: &str, schemas: &Schemas) -> Value {
    let mut config = json!({
        "schemas": [urn::SERVICE_PROVIDER_CONFIG],
        "patch": { "supported": true },
        // authentik reads `maxOperations` as the number of operations that it
        // may put into one PATCH, too; the two limits are the same.
        "bulk": {
            "supported": true,
            "maxOperations": OPERATIONS_MAX,
            "maxPayloadSize": ask::LARGE_BODY_BYTES_MAX,
        },
        "filter": { "supported": true, "maxResults": PAGE_MAX },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": PAGE_DEFAULT,
            "maxPageSize": PAGE_MAX,
            "cursorTimeout": TIMEOUT_SECONDS,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "SCIM API key",
            "description": "A team's SCIM API key as a bearer token, made by a team admin",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base_url}/scim/v2/ServiceProviderConfig"),
        },
    });
    // Published where it is true: checkers refuse members that they do not know.
    if schemas.resource_type(Kind::User).reading.is_strict()
        && let Value::Object(config) = &mut config
    {
        config.insert("interopProfileConformant".into(), true.into());
    }
    config
}

/// RFC 7643 section 6.
fn resource_types(base_url: &str, schemas: &Schemas) -> Vec<Value> {
    let one = |own: &ResourceType, description: &str| {
        let extension =
            |extension: &Arc<schema::Schema>| json!({ "schema": extension.id, "required": false });
        json!({
            "schemas": [urn::RESOURCE_TYPE],
            "id": own.name,
            "name": own.name,
            "description": description,
            "endpoint": own.endpoint,
            "schema": own.core.id,
            "schemaExtensions": own.extensions.iter().map(extension).collect::<Vec<_>>(),
            "meta": {
                "resourceType": "ResourceType",
                "location": format!("{base_url}/scim/v2/ResourceTypes/{}", own.name),
            },
        })
    };
    vec![
        one(schemas.resource_type(Kind::User), "A member of the team"),
        one(schemas.resource_type(Kind::Group), "A group of members"),
    ]
}

/// RFC 7643 section 7: the schema files and what the team registered, with
/// where they stand.
fn published(base_url: &str, schemas: &Schemas) -> Vec<Value> {
    let texts = [
        schema::USER_JSON,
        schema::ENTERPRISE_USER_JSON,
        schema::GROUP_JSON,
        schema::SERVICE_PROVIDER_CONFIG_JSON,
        schema::RESOURCE_TYPE_JSON,
        schema::SCHEMA_JSON,
    ];
    let one = |text: &str| {
        let mut schema: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        let id = schema.get("id").and_then(Value::as_str).unwrap_or_default();
        let meta = json!({
            "resourceType": "Schema",
            "location": format!("{base_url}/scim/v2/Schemas/{id}"),
        });
        schema.insert("meta".into(), meta);
        Value::Object(schema)
    };
    texts.into_iter().chain(schemas.definitions()).map(one).collect()
}
