//! Where the objects are: bindings, names, jurisdictions.

use crate::directory::team_id::TeamId;
use wasm_bindgen::prelude::*;
use worker::{Env, ObjectNamespace, Result, Stub};

/// The bindings in `wrangler.toml`.
const TEAM_BINDING: &str = "TEAM";
const REGISTRY_BINDING: &str = "REGISTRY";
/// The variable that says what the runtime makes of jurisdictions: `none` where
/// it has none, as workerd on its own machine does. Anything else, and nothing,
/// holds teams to theirs: a promise of residence must not be lost by a slip.
const JURISDICTIONS: &str = "JURISDICTIONS";
/// The name of the one Registry object.
const REGISTRY_NAME: &str = "registry";

#[wasm_bindgen]
extern "C" {
    /// A namespace of objects, of which the runtime's crate binds all but
    /// this one method.
    type Namespace;

    #[wasm_bindgen(method, catch)]
    fn jurisdiction(this: &Namespace, name: &str) -> std::result::Result<Namespace, JsValue>;
}

/// An object that the Worker asks.
pub(super) enum Object {
    /// This team's.
    Team(TeamId),
    /// The Registry.
    Registry,
}

impl Object {
    /// A new stub of it.
    pub(super) fn stub(&self, env: &Env) -> Result<Stub> {
        match self {
            Self::Team(id) => team(env, id, None),
            Self::Registry => registry(env),
        }
    }
}

/// A team's object. A hint of where it should live counts for the call that
/// makes it and is ignored ever after.
pub(super) fn team(env: &Env, team: &TeamId, location_hint: Option<&str>) -> Result<Stub> {
    let mut namespace = env.durable_object(TEAM_BINDING)?;
    let has_none = || env.var(JURISDICTIONS).is_ok_and(|value| value.to_string() == "none");
    if let Some(jurisdiction) = team.jurisdiction().filter(|_| !has_none()) {
        let held: &Namespace = namespace.as_ref().unchecked_ref();
        let held = held.jurisdiction(jurisdiction)?;
        namespace = ObjectNamespace::unchecked_from_js(held.into());
    }
    match location_hint {
        Some(hint) => namespace.get_by_name_with_location_hint(team.as_str(), hint),
        None => namespace.get_by_name(team.as_str()),
    }
}

/// The Registry object.
fn registry(env: &Env) -> Result<Stub> {
    env.durable_object(REGISTRY_BINDING)?.get_by_name(REGISTRY_NAME)
}
