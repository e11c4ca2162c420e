//! The settings that one deployment gives to all of its teams.

/// What the operator configured, read once from the Worker's environment.
#[derive(Debug)]
pub struct Deployment {
    /// Scheme and host under which clients reach the deployment, with no
    /// slash at the end: every `meta.location` starts with it.
    pub base_url: String,
}
