//! The rules of what a member may do, as a table.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use kafkaman_scim::directory::members::Role;
use kafkaman_scim::directory::policy::{Action, MemberState, TeamState, decide};

const OPEN: TeamState = TeamState { is_suspended: false, scim_enabled: false, has_sso: true };
const MANAGED: TeamState = TeamState { scim_enabled: true, ..OPEN };
const MEMBER: MemberState =
    MemberState { is_active: true, role: Role::Developer, is_last_admin: false };

fn answer(team: TeamState, member: MemberState, action: &str) -> &'static str {
    let action = Action::named(action).unwrap();
    decide(team, member, action).err().map_or("allowed", |refusal| refusal.code)
}

#[test]
fn with_scim_on_the_identity_provider_decides() {
    let managed = "managed_by_identity_provider";
    for (action, on, off) in [
        ("leave_team", managed, "allowed"),
        ("change_email", managed, "allowed"),
        ("change_password", managed, "allowed"),
        ("sign_in_by_password", "sso_required", "allowed"),
        ("sign_in_by_google", "sso_required", "allowed"),
        ("sign_in_by_sso", "allowed", "allowed"),
        ("use_api_key", "allowed", "allowed"),
        ("remove_member", "admin_required", "admin_required"),
        ("change_role", "admin_required", "admin_required"),
    ] {
        assert_eq!(answer(MANAGED, MEMBER, action), on, "{action} with SCIM on");
        assert_eq!(answer(OPEN, MEMBER, action), off, "{action} with SCIM off");
    }
    assert_eq!(Action::ALL.len(), 9, "a new action needs a row");
}

#[test]
fn only_admins_remove_members_and_change_roles() {
    for (role, expected) in [
        (Role::Admin, "allowed"),
        (Role::Billing, "admin_required"),
        (Role::Developer, "admin_required"),
    ] {
        for action in ["remove_member", "change_role"] {
            for team in [OPEN, MANAGED] {
                assert_eq!(answer(team, MemberState { role, ..MEMBER }, action), expected);
            }
        }
    }
}

#[test]
fn who_is_suspended_may_nothing_and_so_may_a_suspended_teams_members() {
    for (_, action) in Action::ALL {
        for team in [OPEN, MANAGED, TeamState { is_suspended: true, ..OPEN }] {
            for role in [Role::Admin, Role::Developer] {
                let member = MemberState { is_active: false, role, ..MEMBER };
                assert_eq!(answer(team, member, action), "member_suspended", "{action}");
                let member = MemberState { role, ..MEMBER };
                let team = TeamState { is_suspended: true, ..team };
                assert_eq!(answer(team, member, action), "team_suspended", "{action}");
            }
        }
    }
}

#[test]
fn the_last_admin_stays_and_sso_must_be_there_to_be_used() {
    let last = MemberState { role: Role::Admin, is_last_admin: true, ..MEMBER };
    assert_eq!(answer(OPEN, last, "leave_team"), "last_admin");
    assert_eq!(answer(MANAGED, last, "leave_team"), "managed_by_identity_provider");
    let without = TeamState { has_sso: false, ..OPEN };
    assert_eq!(answer(without, MEMBER, "sign_in_by_sso"), "sso_not_configured");
    assert_eq!(answer(without, MEMBER, "sign_in_by_password"), "allowed");
}

#[test]
fn every_refusal_is_a_sentence_for_the_person() {
    for scim_enabled in [false, true] {
        for is_suspended in [false, true] {
            for is_active in [false, true] {
                for (action, name) in Action::ALL {
                    let team = TeamState { is_suspended, scim_enabled, has_sso: false };
                    let member = MemberState { is_active, is_last_admin: true, ..MEMBER };
                    let Err(refusal) = decide(team, member, action) else { continue };
                    let message = refusal.message;
                    assert!(message.ends_with('.') && message.len() > 20, "{name}: {message}");
                }
            }
        }
    }
}
