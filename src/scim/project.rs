//! `attributes` and `excludedAttributes` (RFC 7644 section 3.9), and the
//! `returned` characteristic that bounds both (RFC 7643 section 7).

use super::path::{self, Path, Target};
use super::schema::{ResourceType, Returned, Schema};
use super::{Error, ScimType};
use serde_json::{Map, Value};

/// Names in one request; each is looked for in every resource of a page.
const NAMES_MAX: usize = 200;

/// Which attributes of a resource an answer shows.
#[derive(Clone, Debug, Default)]
pub enum Projection<'s> {
    /// What is returned by default.
    #[default]
    Default,
    /// These, and what is always returned.
    Only(Vec<Target<'s>>),
    /// The default without these.
    Without(Vec<Target<'s>>),
}

impl<'s> Projection<'s> {
    /// Reads the two query parameters: comma-separated attribute paths. A
    /// name that no schema has selects nothing, as RFC 7644 section 3.9 has
    /// no error for it.
    ///
    /// # Errors
    /// 400 `invalidValue` if both are given or too many are named, 403 `sensitive` for an attribute
    /// that is never returned.
    pub fn parse(
        resource_type: &'s ResourceType,
        attributes: Option<&str>,
        excluded: Option<&str>,
    ) -> Result<Self, Error> {
        let targets = |names: &str| -> Result<Vec<Target<'s>>, Error> {
            if names.split(',').count() > NAMES_MAX {
                let detail = format!("a request may name {NAMES_MAX} attributes, not more");
                return Err(Error::invalid_value(detail));
            }
            let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
            let known = names.filter_map(|name| path::resolve(resource_type, name).ok());
            known
                .map(|target| match target {
                    Target::Attribute(path) if path.leaf().returned == Returned::Never => {
                        let detail = format!("`{path}` is never returned");
                        Err(Error::of(ScimType::Sensitive, detail))
                    }
                    target => Ok(target),
                })
                .collect()
        };
        let blank = |names: &&str| names.trim().is_empty();
        match (attributes.filter(|n| !blank(n)), excluded.filter(|n| !blank(n))) {
            (Some(_), Some(_)) => Err(Error::invalid_value(
                "`attributes` and `excludedAttributes` exclude each other; give one of them",
            )),
            (Some(names), None) => Ok(Self::Only(targets(names)?)),
            (None, Some(names)) => Ok(Self::Without(targets(names)?)),
            (None, None) => Ok(Self::Default),
        }
    }

    /// Whether the client named attributes of its own choice.
    pub fn is_chosen(&self) -> bool {
        !matches!(self, Self::Default)
    }

    /// Whether any part of the core attribute `name` is shown: whether it has
    /// to be read at all.
    pub fn shows(&self, resource_type: &ResourceType, name: &str) -> bool {
        match self {
            Self::Default => true,
            Self::Only(targets) => targets.iter().any(|target| match target {
                Target::Core => resource_type.core.attributes.iter().any(|own| own.name == name),
                Target::Extension(_) => false,
                Target::Attribute(path) => path.extension.is_none() && path.attribute.name == name,
            }),
            Self::Without(targets) => !targets.iter().any(|target| match target {
                Target::Core => resource_type.core.attributes.iter().any(|own| own.name == name),
                Target::Extension(_) => false,
                Target::Attribute(path) => path.is(name, ""),
            }),
        }
    }

    /// Leaves of a whole resource what the answer shows.
    pub fn apply(
        &self,
        resource_type: &ResourceType,
        mut resource: Map<String, Value>,
    ) -> Map<String, Value> {
        match self {
            Self::Default => {}
            Self::Only(targets) => return only(resource_type, &resource, targets),
            Self::Without(targets) => {
                for target in targets {
                    exclude(resource_type, &mut resource, target);
                }
            }
        }
        for schema in &resource_type.extensions {
            if let Some(Value::Object(own)) = resource.get_mut(&schema.id) {
                own.retain(|name, _| returned(schema, name) != Some(Returned::Request));
                if own.is_empty() {
                    resource.shift_remove(&schema.id);
                }
            }
        }
        resource
    }
}

/// When an attribute of an extension is returned. Core attributes are returned
/// always or by default; an extension's may be on request.
fn returned(schema: &Schema, name: &str) -> Option<Returned> {
    schema.attributes.iter().find(|own| own.name == name).map(|own| own.returned)
}

/// An attribute of an extension that is always returned.
fn always_of<'s>(resource_type: &'s ResourceType, urn: &str) -> impl Iterator<Item = Path<'s>> {
    let schema = resource_type.extensions.iter().find(|schema| schema.id == urn);
    schema.into_iter().flat_map(|schema| {
        let attributes = schema.attributes.iter();
        attributes.filter(|own| own.returned == Returned::Always).map(move |attribute| Path {
            extension: Some(schema),
            attribute,
            sub: None,
        })
    })
}

fn always(resource_type: &ResourceType, name: &str) -> bool {
    resource_type.attribute(name).is_some_and(|attribute| attribute.returned == Returned::Always)
}

fn only(
    resource_type: &ResourceType,
    resource: &Map<String, Value>,
    targets: &[Target<'_>],
) -> Map<String, Value> {
    let mut shown = Map::new();
    for (name, value) in resource {
        let always_shown: Vec<Path<'_>> = always_of(resource_type, name).collect();
        let mut parts: Vec<&Path<'_>> = always_shown.iter().collect();
        let mut whole = always(resource_type, name);
        for target in targets {
            match target {
                Target::Core => {
                    whole |= resource_type.core.attributes.iter().any(|own| own.name == *name);
                }
                Target::Extension(schema) => whole |= schema.id == *name,
                Target::Attribute(path) if holder_name(path) == name => {
                    whole |= path.extension.is_none() && path.sub.is_none();
                    parts.push(path);
                }
                Target::Attribute(_) => {}
            }
        }
        if whole {
            shown.insert(name.clone(), value.clone());
        } else if let Some(part) = parts_of(value, &parts) {
            shown.insert(name.clone(), part);
        }
    }
    shown
}

/// The member of the resource that holds the path's values.
fn holder_name<'p>(path: &'p Path<'_>) -> &'p str {
    path.extension.map_or(&path.attribute.name, |schema: &Schema| &schema.id)
}

/// What the paths select of a complex attribute or an extension.
fn parts_of(value: &Value, paths: &[&Path<'_>]) -> Option<Value> {
    if paths.is_empty() {
        return None;
    }
    match value {
        Value::Array(elements) => {
            let parts: Vec<_> =
                elements.iter().filter_map(|element| parts_of(element, paths)).collect();
            (!parts.is_empty()).then_some(Value::Array(parts))
        }
        Value::Object(object) => {
            let mut shown = Map::new();
            for (name, value) in object {
                for path in paths {
                    match (path.extension, path.sub) {
                        (None, Some(sub)) if sub.name == *name => {
                            shown.insert(name.clone(), value.clone());
                        }
                        (Some(_), sub) if path.attribute.name == *name => {
                            let inner = Path { extension: None, ..**path };
                            let part = match sub {
                                None => Some(value.clone()),
                                Some(_) => parts_of(value, &[&inner]),
                            };
                            shown.extend(part.map(|part| (name.clone(), part)));
                        }
                        _ => {}
                    }
                }
            }
            (!shown.is_empty()).then_some(Value::Object(shown))
        }
        _ => None,
    }
}

fn exclude(resource_type: &ResourceType, resource: &mut Map<String, Value>, target: &Target<'_>) {
    match target {
        Target::Core => {
            resource.retain(|name, _| {
                always(resource_type, name)
                    || !resource_type.core.attributes.iter().any(|own| own.name == *name)
            });
        }
        Target::Extension(schema) => {
            if let Some(Value::Object(own)) = resource.get_mut(&schema.id) {
                own.retain(|name, _| returned(schema, name) == Some(Returned::Always));
                if own.is_empty() {
                    resource.shift_remove(&schema.id);
                }
            }
        }
        Target::Attribute(path) if path.leaf().returned == Returned::Always => {}
        Target::Attribute(path) => match path.extension {
            None => exclude_from(resource, path),
            Some(schema) => {
                if let Some(Value::Object(extension)) = resource.get_mut(&schema.id) {
                    exclude_from(extension, path);
                }
            }
        },
    }
}

fn exclude_from(holder: &mut Map<String, Value>, path: &Path<'_>) {
    let name = &path.attribute.name;
    let Some(sub) = path.sub else {
        holder.shift_remove(name);
        return;
    };
    let elements = match holder.get_mut(name) {
        Some(Value::Array(elements)) => elements.as_mut_slice(),
        Some(single) => std::slice::from_mut(single),
        None => return,
    };
    for element in elements {
        if let Value::Object(object) = element {
            object.shift_remove(&sub.name);
        }
    }
}
