//! The groups that providers pushed, and who is in them.

use super::Outcome;
use super::page::{self, Frame};
use super::text;
use super::visit::Visit;
use crate::directory::rosters::{self, Group, PAGE_MAX, Within};
use askama::Template;

/// Cuts what was read beyond a page; returns the last on the page if there was
/// more.
pub(super) fn next<T>(found: &mut Vec<T>, page: i64) -> Option<&T> {
    let page = usize::try_from(page).unwrap_or(usize::MAX);
    if found.len() <= page {
        return None;
    }
    found.truncate(page);
    found.last()
}

#[derive(Template)]
#[template(path = "dashboard/groups.html")]
struct List<'a> {
    frame: Frame,
    search: &'a str,
    groups: Vec<Group>,
    next: Option<String>,
}

pub(super) fn list(visit: &Visit<'_>) -> Outcome {
    let search = visit.asked("search")?;
    let groups = rosters::groups(&visit.context(), search, visit.asked("after")?)?;
    let is_full = i64::try_from(groups.len()).is_ok_and(|count| count >= PAGE_MAX);
    let next = groups.last().filter(|_| is_full).map(|last| last.name.clone());
    page::shown(&List { frame: Frame::of(visit, "groups", "Groups")?, search, groups, next })
}

#[derive(Template)]
#[template(path = "dashboard/group.html")]
struct One {
    frame: Frame,
    group: Group,
    members: Vec<Within>,
    next: Option<i64>,
}

pub(super) fn show(visit: &Visit<'_>) -> Outcome {
    let context = visit.context();
    let group = rosters::fetch(&context, visit.named())?;
    let after = visit.asked("after")?.parse().unwrap_or(0);
    let members = rosters::members_of(&context, &group, after)?;
    let is_full = i64::try_from(members.len()).is_ok_and(|count| count >= PAGE_MAX);
    let next = members.last().filter(|_| is_full).map(Within::place);
    page::shown(&One { frame: Frame::of(visit, "groups", &group.name)?, group, members, next })
}
