//! Who is in which group: one row a membership, never a list in a document.
//!
//! Adding or removing k members costs k rows whatever the size of the group,
//! and two providers that change one group at once lose nothing. Ids travel
//! to SQL as JSON, since a statement binds at most 100 parameters, and in
//! portions, since a parameter has at most 2 MB.

use super::resource::{Kind, Stored};
use super::sql::SqlError;
use super::{Context, Fault};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Bytes of JSON in one portion: half of what a parameter may have, with room
/// for what escaping adds.
const PORTION_BYTES: usize = super::sql::ROW_BYTES_MAX / 2;

/// A member as a client names it.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// What the client calls it, if it says.
    pub display: Option<String>,
}

/// Members that a client named, looked up in the team.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The rows of those that exist, each once, with what they are called.
    pub members: Vec<(i64, Option<String>)>,
    /// How many ids name nobody here.
    pub unknown: usize,
}

impl Resolved {
    /// The rows alone.
    pub fn seqs(&self) -> Vec<i64> {
        self.members.iter().map(|(seq, _)| *seq).collect()
    }
}

/// Looks members up in this team: users and groups.
pub fn resolve(context: &Context<'_>, named: &[Named]) -> Result<Resolved, SqlError> {
    let mut resolved = Resolved::default();
    let mut found: usize = 0;
    let list = named.iter().map(|one| json!([one.id, one.display]));
    in_portions(list, &mut |portion| {
        context.sql.each(
            "SELECT r.seq, wanted.value ->> 1 FROM json_each(?) AS wanted
             CROSS JOIN resource AS r ON r.type IN ('User', 'Group') AND r.id = wanted.value ->> 0",
            &[portion.into()],
            &mut |mut row| {
                found = found.saturating_add(1);
                resolved.members.push((row.integer()?, row.optional_text()?));
                Ok(())
            },
        )
    })?;
    resolved.unknown = named.len().saturating_sub(found);
    resolved.members.sort_by_key(|(seq, _)| *seq);
    resolved.members.dedup_by_key(|(seq, _)| *seq);
    Ok(resolved)
}

/// Hands values to `portion` as JSON arrays, each of a size that a parameter
/// may have.
fn in_portions(
    values: impl Iterator<Item = Value>,
    portion: &mut dyn FnMut(&str) -> Result<(), SqlError>,
) -> Result<(), SqlError> {
    let mut text = String::from("[");
    for value in values {
        let value = value.to_string();
        if text.len().saturating_add(value.len()) > PORTION_BYTES && text.len() > 1 {
            text.push(']');
            portion(&text)?;
            text = String::from("[");
        }
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&value);
    }
    if text.len() > 1 {
        text.push(']');
        portion(&text)?;
    }
    Ok(())
}

/// As [`resolve`], for ids alone.
fn resolve_ids(context: &Context<'_>, ids: Vec<String>) -> Result<Vec<i64>, SqlError> {
    let named: Vec<Named> = ids.into_iter().map(|id| Named { id, display: None }).collect();
    Ok(resolve(context, &named)?.seqs())
}

/// Who came and who went while a group was changed.
#[derive(Debug, Default)]
pub struct Moves {
    /// By row: what the member was called before, and is called now; `None`
    /// where it was not, or is not, a member.
    members: BTreeMap<i64, (Called, Called)>,
}

/// What a group calls a member, if it is one; `Some(None)` is by its own name.
type Called = Option<Option<String>>;

impl Moves {
    fn came(&mut self, seq: i64, display: Option<String>) {
        self.members.entry(seq).or_insert((None, None)).1 = Some(display);
    }

    fn went(&mut self, seq: i64, display: Option<String>) {
        self.members.entry(seq).or_insert((Some(display), None)).1 = None;
    }

    /// How many are members now who were not, or the reverse, or are called
    /// otherwise. Who left and came back moved nowhere.
    pub fn count(&self) -> usize {
        self.members.values().filter(|(before, after)| before != after).count()
    }
}

/// Adds members. Who is one stays as they are: what a member is called is
/// immutable (RFC 7643 section 2.4).
pub fn add(
    context: &Context<'_>,
    group: i64,
    members: &[(i64, Option<String>)],
    moves: &mut Moves,
) -> Result<(), SqlError> {
    let list = members.iter().map(|(seq, display)| json!([seq, display]));
    changed(
        context,
        "INSERT INTO membership (group_seq, member_seq, display)
         SELECT ?, value ->> 0, value ->> 1 FROM json_each(?) WHERE true
         ON CONFLICT DO NOTHING RETURNING member_seq, display",
        group,
        list,
        &mut |seq, display| moves.came(seq, display),
    )
}

/// Removes members.
pub fn remove(
    context: &Context<'_>,
    group: i64,
    members: &[i64],
    moves: &mut Moves,
) -> Result<(), SqlError> {
    changed(
        context,
        "DELETE FROM membership WHERE group_seq = ?
         AND member_seq IN (SELECT value FROM json_each(?)) RETURNING member_seq, display",
        group,
        members.iter().map(|seq| (*seq).into()),
        &mut |seq, display| moves.went(seq, display),
    )
}

/// Makes exactly these the members.
pub fn set(
    context: &Context<'_>,
    group: i64,
    members: &[(i64, Option<String>)],
    moves: &mut Moves,
) -> Result<(), SqlError> {
    let wanted: BTreeSet<i64> = members.iter().map(|(seq, _)| *seq).collect();
    let mut gone: Vec<i64> = Vec::new();
    let mut present: BTreeSet<i64> = BTreeSet::new();
    context.sql.each(
        "SELECT member_seq FROM membership WHERE group_seq = ?",
        &[group.into()],
        &mut |mut row| {
            let seq = row.integer()?;
            if wanted.contains(&seq) {
                present.insert(seq);
            } else {
                gone.push(seq);
            }
            Ok(())
        },
    )?;
    let come: Vec<_> = members.iter().filter(|(seq, _)| !present.contains(seq)).cloned().collect();
    remove(context, group, &gone, moves)?;
    add(context, group, &come, moves)
}

fn changed(
    context: &Context<'_>,
    statement: &str,
    group: i64,
    list: impl Iterator<Item = Value>,
    note: &mut dyn FnMut(i64, Option<String>),
) -> Result<(), SqlError> {
    in_portions(list, &mut |portion| {
        context.sql.each(statement, &[group.into(), portion.into()], &mut |mut row| {
            note(row.integer()?, row.optional_text()?);
            Ok(())
        })
    })
}

/// Takes a resource that is going away out of everything: its own members
/// leave it, it leaves its groups, and those count a change.
pub fn forget(context: &Context<'_>, seq: i64) -> Result<(), SqlError> {
    context.sql.execute(
        "UPDATE resource SET version = version + 1, modified = ? WHERE seq IN
         (SELECT group_seq FROM membership WHERE member_seq = ?)",
        &[context.now.0.into(), seq.into()],
    )?;
    context.sql.execute("DELETE FROM membership WHERE member_seq = ?", &[seq.into()])?;
    context.sql.execute("DELETE FROM membership WHERE group_seq = ?", &[seq.into()])
}

/// Puts a member back into groups, as far as they are still there; those count a
/// change.
pub fn rejoin(context: &Context<'_>, seq: i64, groups: &[String]) -> Result<(), SqlError> {
    let list = Value::from(groups).to_string();
    context.sql.execute(
        "INSERT INTO membership (group_seq, member_seq)
         SELECT g.seq, ? FROM json_each(?) AS wanted
         CROSS JOIN resource AS g ON g.type = 'Group' AND g.id = wanted.value WHERE true
         ON CONFLICT DO NOTHING",
        &[seq.into(), list.into()],
    )?;
    context.sql.execute(
        "UPDATE resource SET version = version + 1, modified = ? WHERE seq IN
         (SELECT group_seq FROM membership WHERE member_seq = ?)",
        &[context.now.0.into(), seq.into()],
    )
}

/// Whether a group has more than `limit` members, reading no more than that.
pub fn exceeds(context: &Context<'_>, group: i64, limit: i64) -> Result<bool, SqlError> {
    let counted = context.sql.first(
        "SELECT count(*) FROM (SELECT 1 FROM membership WHERE group_seq = ? LIMIT (SELECT ?))",
        &[group.into(), limit.saturating_add(1).into()],
        |mut row| row.integer(),
    )?;
    Ok(counted.unwrap_or(0) > limit)
}

/// A member of a group, as the group shows it.
#[derive(Debug)]
pub struct Member {
    /// Its row.
    pub seq: i64,
    /// Its type.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Its name.
    pub display: String,
}

/// Hands each member of a group to `member`, in the order in which the
/// members came to the team.
pub fn each_member(
    context: &Context<'_>,
    group: i64,
    member: &mut dyn FnMut(Member),
) -> Result<(), SqlError> {
    context.sql.each(
        "SELECT r.seq, r.type, r.id, coalesce(m.display, r.display) FROM membership AS m
         CROSS JOIN resource AS r ON r.seq = m.member_seq
         WHERE m.group_seq = ? ORDER BY m.member_seq",
        &[group.into()],
        &mut |mut row| {
            member(Member {
                seq: row.integer()?,
                kind: if row.text()? == "Group" { Kind::Group } else { Kind::User },
                id: row.text()?,
                display: row.text()?,
            });
            Ok(())
        },
    )
}

/// A group that someone is in.
#[derive(Debug)]
pub struct InGroup {
    /// The group's id.
    pub id: String,
    /// The group's name.
    pub display: String,
    /// Whether it lists the member itself; otherwise a group in it does.
    pub direct: bool,
}

/// A column of a row of `resource`: the groups that it is in, where that is a plain
/// matter, as it nearly always is: they are few, have names of a usual length, and none
/// of them is in another. JSON, each with its id and its name. NULL where it is not;
/// then it takes [`groups_of`] to tell.
///
/// Read with the row, it saves a second statement, which costs more than what it reads.
pub(super) const PLAIN_GROUPS: &str = "(
    SELECT CASE WHEN count(*) <= 50 AND total(is_plain) = count(*)
                THEN json_group_array(json_array(id, name)) END
    FROM (SELECT g.id AS id, substr(g.display, 1, 400) AS name,
                 length(g.display) <= 400 AND NOT EXISTS (
                     SELECT 1 FROM membership AS above WHERE above.member_seq = m.group_seq
                 ) AS is_plain
          FROM membership AS m CROSS JOIN resource AS g ON g.seq = m.group_seq
          WHERE m.member_seq = resource.seq LIMIT 51))";

/// The groups that each of these resources is in, as [`groups_of`] has them; those that
/// were read with the row are not read again.
pub fn groups_of_all(
    context: &Context<'_>,
    resources: &[&Stored],
) -> Result<HashMap<i64, Vec<InGroup>>, Fault> {
    let unread = resources.iter().filter(|stored| stored.groups.is_none());
    let unread: Vec<i64> = unread.map(|stored| stored.seq).collect();
    let mut groups = match unread.is_empty() {
        true => HashMap::new(),
        false => groups_of(context, &unread)?,
    };
    for stored in resources {
        let Some(plain) = stored.groups.as_deref().filter(|plain| *plain != "[]") else { continue };
        let plain: Vec<(String, String)> = serde_json::from_str(plain)
            .map_err(|_| Fault::new("the groups of somebody are no list of ids and names"))?;
        let group = |(id, display)| InGroup { id, display, direct: true };
        groups.insert(stored.seq, plain.into_iter().map(group).collect());
    }
    Ok(groups)
}

/// The groups that each of these resources is in, directly and through other
/// groups. Groups that contain each other end the search, not the program.
pub fn groups_of(context: &Context<'_>, seqs: &[i64]) -> Result<HashMap<i64, Vec<InGroup>>, Fault> {
    let mut groups: HashMap<i64, Vec<InGroup>> = HashMap::new();
    context.sql.each(
        "WITH RECURSIVE above (member, group_seq, direct) AS (
             SELECT m.member_seq, m.group_seq, 1 FROM json_each(?) AS wanted
             CROSS JOIN membership AS m ON m.member_seq = wanted.value
             UNION
             SELECT above.member, m.group_seq, 0 FROM above
             CROSS JOIN membership AS m ON m.member_seq = above.group_seq
         )
         SELECT above.member, g.id, g.display, max(above.direct) FROM above
         CROSS JOIN resource AS g ON g.seq = above.group_seq
         GROUP BY above.member, g.seq ORDER BY above.member, g.id",
        &[Value::from(seqs).to_string().into()],
        &mut |mut row| {
            let member = row.integer()?;
            groups.entry(member).or_default().push(InGroup {
                id: row.text()?,
                display: row.text()?,
                direct: row.boolean()?,
            });
            Ok(())
        },
    )?;
    Ok(groups)
}

/// The rows of those of these ids that are members of the group.
pub fn among(context: &Context<'_>, group: i64, ids: Vec<String>) -> Result<Vec<i64>, SqlError> {
    let mut found = Vec::new();
    in_portions(resolve_ids(context, ids)?.into_iter().map(Value::from), &mut |portion| {
        context.sql.each(
            "SELECT member_seq FROM membership WHERE group_seq = ?
             AND member_seq IN (SELECT value FROM json_each(?))",
            &[group.into(), portion.into()],
            &mut |mut row| {
                found.push(row.integer()?);
                Ok(())
            },
        )
    })?;
    Ok(found)
}

/// Those of these ids that are members of the group.
pub fn ids_among(
    context: &Context<'_>,
    group: i64,
    ids: Vec<String>,
) -> Result<Vec<String>, SqlError> {
    let seqs = Value::from(among(context, group, ids)?).to_string();
    let statement = "SELECT id FROM resource WHERE seq IN (SELECT value FROM json_each(?))";
    context.sql.all(statement, &[seqs.into()], |mut row| row.text())
}
