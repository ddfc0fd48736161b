//! As much of JSON Schema (draft 2020-12) as `docs/record.schema.json` uses, and stricter in one
//! thing: a member that the schema does not list is a fault.

use std::fs;

use serde_json::Value;

use super::docs;

/// The schema of a record.
pub(crate) struct Schema(Value);

impl Schema {
    pub(crate) fn load() -> Self {
        Self(serde_json::from_slice(&fs::read(docs("record.schema.json")).unwrap()).unwrap())
    }

    /// The words of `kind` that the schema knows, in its order.
    pub(crate) fn kinds(&self) -> Vec<&str> {
        let kinds = self.0["allOf"].as_array().unwrap().iter();
        kinds.map(|rule| rule["if"]["properties"]["kind"]["const"].as_str().unwrap()).collect()
    }

    /// The members of what is defined under `name`.
    pub(crate) fn members_of(&self, name: &str) -> Vec<&str> {
        self.0["$defs"][name]["properties"].as_object().unwrap().keys().map(String::as_str).collect()
    }

    /// What is wrong with `record`.
    pub(crate) fn faults(&self, record: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(&self.0, record, "", &mut faults);
        let of_kind = self.0["allOf"].as_array().unwrap().iter();
        let of_kind = of_kind.filter(|rule| rule["if"]["properties"]["kind"]["const"] == record["kind"]);
        let listed: Vec<&Value> = of_kind.map(|rule| self.target(&rule["then"])).collect();
        for name in record.as_object().unwrap().keys() {
            let known = |schema: &&Value| schema["properties"].get(name).is_some();
            if !listed.iter().any(known) && !known(&&self.0) {
                faults.push(format!("{name}: not listed"));
            }
        }
        faults
    }

    fn target<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema.get("$ref") {
            Some(reference) => {
                let name = reference.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                self.0["$defs"].get(name).unwrap()
            }
            None => schema,
        }
    }

    fn holds(&self, schema: &Value, value: &Value) -> bool {
        let mut faults = Vec::new();
        self.check(schema, value, "", &mut faults);
        faults.is_empty()
    }

    fn check(&self, schema: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
        for (keyword, rule) in schema.as_object().unwrap() {
            let number = || value.as_f64().zip(rule.as_f64());
            let count = || value.as_array().map(Vec::len).zip(rule.as_u64().and_then(|rule| rule.try_into().ok()));
            let holds = match keyword.as_str() {
                "$schema" | "$id" | "$defs" | "title" | "description" | "then" => true,
                // Only of strings; what they look like, `Record::parse` checks.
                "pattern" => value.is_string(),
                "$ref" => {
                    self.check(self.target(schema), value, path, faults);
                    true
                }
                "const" => value == rule,
                "enum" => rule.as_array().unwrap().contains(value),
                "type" => has_type(value, rule),
                "minimum" => number().is_none_or(|(value, limit)| value >= limit),
                "maximum" => number().is_none_or(|(value, limit)| value <= limit),
                "minItems" => count().is_none_or(|(count, limit): (usize, usize)| count >= limit),
                "maxItems" => count().is_none_or(|(count, limit): (usize, usize)| count <= limit),
                "maxProperties" => {
                    value.as_object().is_none_or(|members| members.len() as u64 <= rule.as_u64().unwrap())
                }
                "anyOf" => rule.as_array().unwrap().iter().any(|schema| self.holds(schema, value)),
                "allOf" => {
                    rule.as_array().unwrap().iter().for_each(|schema| self.check(schema, value, path, faults));
                    true
                }
                "if" => {
                    if self.holds(rule, value) {
                        self.check(&schema["then"], value, path, faults);
                    }
                    true
                }
                "required" => {
                    let names = rule.as_array().unwrap().iter();
                    names.map(|name| name.as_str().unwrap()).all(|name| value.get(name).is_some())
                }
                "properties" => {
                    self.check_members(schema, value, path, faults);
                    true
                }
                "additionalProperties" => {
                    value.as_object().is_none_or(|members| members.values().all(|value| self.holds(rule, value)))
                }
                "items" => {
                    let items = value.as_array().into_iter().flatten();
                    items.for_each(|item| self.check(rule, item, path, faults));
                    true
                }
                unknown => panic!("the schema uses {unknown}, which is not checked here"),
            };
            if !holds {
                faults.push(format!("{path}: {keyword} {rule} does not hold for {value}"));
            }
        }
    }

    fn check_members(&self, schema: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
        for (name, value) in value.as_object().into_iter().flatten() {
            match schema["properties"].get(name) {
                Some(schema) => self.check(schema, value, &format!("{path}.{name}"), faults),
                // The members of the line itself are listed in two places: see `faults`.
                None if path.is_empty() => {}
                None => faults.push(format!("{path}.{name}: not listed")),
            }
        }
    }
}

fn has_type(value: &Value, rule: &Value) -> bool {
    match rule {
        Value::Array(types) => types.iter().any(|rule| has_type(value, rule)),
        rule => match rule.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "number" => value.is_number(),
            "integer" => value.is_u64() || value.is_i64(),
            unknown => panic!("the schema uses the type {unknown}"),
        },
    }
}
