//! Pages for people.

pub mod break_glass;
