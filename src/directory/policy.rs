//! What a member may do: one pure function of the team's state, the member and
//! the action.
//!
//! kafkaman's other services ask it over the team API, and our own routes go
//! through it, so that a rule is written once. It says why not in a stable code
//! for programs and a sentence for the person. Out of scope: who is asking, and
//! carrying anything out.

use super::members::Role;

/// The team, as far as the rules look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TeamState {
    /// Whether an operator suspended it.
    pub is_suspended: bool,
    /// Whether an identity provider manages its members.
    pub scim_enabled: bool,
    /// Whether exactly one SSO method is set.
    pub has_sso: bool,
}

/// The member, as far as the rules look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberState {
    /// Whether they may work here.
    pub is_active: bool,
    /// What they may do.
    pub role: Role,
    /// Whether no other active member is an admin.
    pub is_last_admin: bool,
}

/// What a member wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Leave the team.
    LeaveTeam,
    /// Change the address of their account.
    ChangeEmail,
    /// Change the password of their account.
    ChangePassword,
    /// Sign in with a password.
    SignInByPassword,
    /// Sign in with a Google account.
    SignInByGoogle,
    /// Sign in through the team's identity provider.
    SignInBySso,
    /// Use an API key of their own.
    UseApiKey,
    /// Remove another member.
    RemoveMember,
    /// Change another member's role.
    ChangeRole,
}

impl Action {
    /// Every action, with its name on the wire.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::LeaveTeam, "leave_team"),
        (Self::ChangeEmail, "change_email"),
        (Self::ChangePassword, "change_password"),
        (Self::SignInByPassword, "sign_in_by_password"),
        (Self::SignInByGoogle, "sign_in_by_google"),
        (Self::SignInBySso, "sign_in_by_sso"),
        (Self::UseApiKey, "use_api_key"),
        (Self::RemoveMember, "remove_member"),
        (Self::ChangeRole, "change_role"),
    ];

    /// The action of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == name).map(|(own, _)| *own)
    }
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A word that stays the same for ever.
    pub code: &'static str,
    /// A sentence for the member.
    pub message: &'static str,
}

const fn because(code: &'static str, message: &'static str) -> Refusal {
    Refusal { code, message }
}

const SUSPENDED: Refusal = because(
    "member_suspended",
    "Your account in this team is suspended. Ask a team admin, or whoever runs your identity provider.",
);
const TEAM_SUSPENDED: Refusal = because(
    "team_suspended",
    "This team is suspended. A team admin can ask kafkaman's support why.",
);
const LEAVE: Refusal = because(
    "managed_by_identity_provider",
    "You cannot leave on your own: your company's identity provider manages this team. Ask a team admin.",
);
const EMAIL: Refusal = because(
    "managed_by_identity_provider",
    "Your email address is managed by your company's identity provider. A team admin must edit it there.",
);
const PASSWORD: Refusal = because(
    "managed_by_identity_provider",
    "You sign in through your company's identity provider, so there is no password to change here.",
);
const SSO_ONLY: Refusal = because(
    "sso_required",
    "Sign in with your company's single sign-on: this team takes no other way.",
);
const NO_SSO: Refusal = because("sso_not_configured", "This team has not set up single sign-on.");
const ADMINS_ONLY: Refusal = because("admin_required", "Only a team admin can do this.");
const LAST_ADMIN: Refusal =
    because("last_admin", "You are the team's last admin. Make someone else admin first.");

/// Whether a member may do something now.
///
/// # Errors
/// Why not.
pub fn decide(team: TeamState, member: MemberState, action: Action) -> Result<(), Refusal> {
    if !member.is_active {
        return Err(SUSPENDED);
    }
    if team.is_suspended {
        return Err(TEAM_SUSPENDED);
    }
    let managed = |refusal| if team.scim_enabled { Err(refusal) } else { Ok(()) };
    match action {
        Action::LeaveTeam if team.scim_enabled => Err(LEAVE),
        Action::LeaveTeam if member.is_last_admin => Err(LAST_ADMIN),
        Action::LeaveTeam | Action::UseApiKey => Ok(()),
        Action::ChangeEmail => managed(EMAIL),
        Action::ChangePassword => managed(PASSWORD),
        Action::SignInByPassword | Action::SignInByGoogle => managed(SSO_ONLY),
        Action::SignInBySso if team.has_sso => Ok(()),
        Action::SignInBySso => Err(NO_SSO),
        Action::RemoveMember | Action::ChangeRole => match member.role {
            Role::Admin => Ok(()),
            Role::Billing | Role::Developer => Err(ADMINS_ONLY),
        },
    }
}
