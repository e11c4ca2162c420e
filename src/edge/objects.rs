//! Where the objects are: bindings, names, jurisdictions.

use crate::directory::team_id::TeamId;
use std::cell::OnceCell;
use wasm_bindgen::prelude::*;
use worker::js_sys::{self, Promise, Reflect};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{Request, Response};
use worker::{Env, Result};

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
    /// A namespace of objects. The runtime's crate lacks `jurisdiction`, and its
    /// stubs can only be called from a future.
    #[derive(Clone)]
    type Namespace;

    #[wasm_bindgen(method, catch)]
    fn jurisdiction(this: &Namespace, name: &str) -> std::result::Result<Namespace, JsValue>;

    #[wasm_bindgen(method, catch, js_name = getByName)]
    fn get_by_name(
        this: &Namespace,
        name: &str,
        options: &JsValue,
    ) -> std::result::Result<Stub, JsValue>;

    /// An object, to be called. `guard.mjs` calls it, too.
    pub(super) type Stub;

    #[wasm_bindgen(method, catch, js_name = fetch)]
    fn fetch_raw(this: &Stub, request: &Request) -> std::result::Result<Promise, JsValue>;
}

impl Stub {
    /// Calls the object.
    ///
    /// # Errors
    /// If the object could not be reached, or failed without an answer.
    pub(super) async fn fetch(&self, request: &Request) -> Result<Response> {
        let answer = JsFuture::from(self.fetch_raw(request)?).await?;
        Ok(answer.dyn_into()?)
    }
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
    let mut namespace = teams(env)?;
    let has_none = || env.var(JURISDICTIONS).is_ok_and(|value| value.to_string() == "none");
    if let Some(jurisdiction) = team.jurisdiction().filter(|_| !has_none()) {
        namespace = namespace.jurisdiction(jurisdiction)?;
    }
    let options = match location_hint {
        Some(hint) => {
            let options = js_sys::Object::new();
            Reflect::set(&options, &"locationHint".into(), &hint.into())?;
            options.into()
        }
        None => JsValue::UNDEFINED,
    };
    Ok(namespace.get_by_name(team.as_str(), &options)?)
}

/// The Registry object.
fn registry(env: &Env) -> Result<Stub> {
    Ok(namespace(env, REGISTRY_BINDING)?.get_by_name(REGISTRY_NAME, &JsValue::UNDEFINED)?)
}

fn namespace(env: &Env, binding: &str) -> Result<Namespace> {
    Ok(Reflect::get(env, &binding.into())?.unchecked_into())
}

thread_local! {
    /// The teams' objects, looked up once: an instance never sees another environment.
    static TEAMS: OnceCell<Namespace> = const { OnceCell::new() };
}

fn teams(env: &Env) -> Result<Namespace> {
    if let Some(found) = TEAMS.with(|cell| cell.get().cloned()) {
        return Ok(found);
    }
    let found = namespace(env, TEAM_BINDING)?;
    TEAMS.with(|cell| drop(cell.set(found.clone())));
    Ok(found)
}
