//! What `glue.mjs` does for us: a response or the rows of a statement in one call
//! out of the wasm, where the runtime's own interfaces would take hundreds.

use wasm_bindgen::prelude::*;
use worker::js_sys::{Array, Promise};

#[wasm_bindgen(module = "/src/edge/glue.mjs")]
extern "C" {
    /// A `Response`. `names` and `values` are its headers', a line each.
    #[wasm_bindgen(catch)]
    pub(super) fn respond(
        status: u16,
        names: &str,
        values: &str,
        body: &[u8],
    ) -> Result<JsValue, JsValue>;

    /// What an address answers: a promise of an array of its status and its text.
    #[wasm_bindgen(catch)]
    pub(super) fn ask(
        url: &str,
        authorization: Option<&str>,
        body: Option<&str>,
        patience: u32,
        bytes_most: u32,
    ) -> Result<Promise, JsValue>;

    /// A portion of a statement's rows.
    pub(super) type Portion;

    /// Runs a statement: its first portion.
    #[wasm_bindgen(catch)]
    pub(super) fn exec(
        sql: &JsValue,
        statement: &str,
        parameters: &Array,
    ) -> Result<Portion, JsValue>;

    /// The next portion of what a portion left.
    #[wasm_bindgen(catch)]
    pub(super) fn more(left: &JsValue) -> Result<Portion, JsValue>;

    /// How many rows a portion has.
    pub(super) fn rows(portion: &Portion) -> usize;

    /// A number: not a number where there is NULL, infinite where there is no number.
    pub(super) fn number(portion: &Portion, index: usize) -> f64;

    /// A text, or `None` for NULL.
    #[wasm_bindgen(catch)]
    pub(super) fn text(portion: &Portion, index: usize) -> Result<Option<String>, JsValue>;

    /// Bytes, or `None` for NULL.
    #[wasm_bindgen(catch)]
    pub(super) fn bytes(portion: &Portion, index: usize) -> Result<Option<Vec<u8>>, JsValue>;

    /// What is left after a portion, if anything.
    #[wasm_bindgen(method, structural, indexing_getter)]
    pub(super) fn at(this: &Portion, index: usize) -> JsValue;
}
