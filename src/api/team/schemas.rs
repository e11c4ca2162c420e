//! Extension schemas of the team's own.

use super::{Answer, Call, ok, page};
use crate::api::{body, problem};
use crate::directory::extensions::{self, Extension, Registration};
use crate::directory::problem::Problem;
use crate::scim::extension::Description;
use crate::web::answered::After;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub(super) fn list_all(call: &Call<'_>) -> Answer {
    let (schemas, next) = page(call, extensions::list(call.context)?, |own| &own.urn)?;
    ok(&json!({ "schemas": schemas.iter().map(shown).collect::<Vec<_>>(), "next": next }))
}

fn shown(own: &Extension) -> Value {
    let types = [("User", own.of_users), ("Group", own.of_groups)];
    let types: Vec<&str> = types.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
    let indexed: Map<String, Value> =
        own.indexes.iter().map(|(name, state)| (name.clone(), state.as_str().into())).collect();
    json!({
        "urn": own.urn,
        "state": own.state.name(),
        "resourceTypes": types,
        "indexed": indexed,
        "schema": own.published(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Register {
    resource_types: Vec<ResourceTypeName>,
    schema: Description,
    #[serde(default)]
    indexed: BTreeSet<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
enum ResourceTypeName {
    User,
    Group,
}

pub(super) fn register(call: &Call<'_>) -> Answer {
    let asked: Register = body::read(&call.body)?;
    let has = |name| asked.resource_types.contains(&name);
    let (of_users, of_groups) = (has(ResourceTypeName::User), has(ResourceTypeName::Group));
    if !of_users && !of_groups {
        let message = "`resourceTypes` must name User, Group or both";
        return Err(Problem::invalid(message).into());
    }
    let Register { schema, indexed, .. } = asked;
    let wanted = Registration { of_users, of_groups, description: schema, indexed };
    let own = extensions::put(call.context, &call.actor, call.last(), &wanted)?;
    call.after.set(After::Upkeep);
    ok(&shown(&own))
}

pub(super) fn remove(call: &Call<'_>) -> Answer {
    let data = call.parameters.get("data").map_err(|error| Problem::invalid(error.detail()))?;
    let purges = match data {
        Some("keep") => false,
        Some("purge") => true,
        _ => {
            let message = "say what becomes of the values that members have: `?data=keep`, and \
                           they come back if the schema does, or `?data=purge`";
            return Err(Problem::invalid(message).into());
        }
    };
    extensions::remove(call.context, &call.actor, call.last(), purges)?;
    call.after.set(After::Upkeep);
    Ok(problem::empty())
}
