//! What holds for every policy and every caller, against a slow and obvious reading of the rules.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

use audit_core::policy::{Level, Mismatch, Mistake, Policy, Rule, Subject};
use audit_core::record::{Actor, ActorType};
use proptest::prelude::*;

/// A rule as its author thinks of it. Empty lists are left out.
#[derive(Clone, Debug)]
struct Written {
    name: String,
    actors: Vec<ActorType>,
    actor_ids: Vec<&'static str>,
    issuers: Vec<&'static str>,
    methods: Vec<&'static str>,
    paths: Vec<String>,
    actions: Vec<&'static str>,
    recording: Option<&'static str>,
}

impl Written {
    fn toml(&self) -> String {
        let mut text = format!("[[rule]]\nname = \"{}\"\n", self.name);
        let mut list = |key: &str, elements: Vec<String>| {
            if !elements.is_empty() {
                text.push_str(&format!("{key} = {elements:?}\n"));
            }
        };
        let owned = |elements: &[&str]| elements.iter().map(ToString::to_string).collect();
        let kinds = self.actors.iter().map(|kind| kind.as_str().to_owned());
        list("actors", kinds.collect());
        list("actor_ids", owned(&self.actor_ids));
        list("issuers", owned(&self.issuers));
        list("methods", owned(&self.methods));
        list("paths", self.paths.clone());
        list("actions", owned(&self.actions));
        text.push_str(self.recording.unwrap_or("level = \"none\""));
        text.push('\n');
        text
    }

    /// Whether the rule matches a subject whose path, if any, is plain.
    fn matches(&self, subject: &Subject<'_>) -> bool {
        let actor = subject.actor;
        let verified = actor.verified && actor.kind != ActorType::Unauthenticated;
        let id_matches = |id: &str| {
            let mut patterns = self.actor_ids.iter();
            patterns.any(|pattern| name_matches(pattern, id))
        };
        let issuer_matches = |issuer: &str| self.issuers.iter().any(|pattern| name_matches(pattern, issuer));
        let is_http = subject.method.is_some_and(|method| subject.action.starts_with(&format!("{method} ")));
        let path = |pattern: &String| {
            subject.path.filter(|path| path.starts_with('/')).is_some_and(|path| self.path_matches(pattern, path))
        };
        (self.actors.is_empty() || verified && self.actors.contains(&actor.kind))
            && (self.actor_ids.is_empty() || verified && actor.id.as_deref().is_some_and(id_matches))
            && (self.issuers.is_empty() || verified && actor.issuer.as_deref().is_some_and(issuer_matches))
            && (self.methods.is_empty() || subject.method.is_some_and(|method| self.method_matches(method)))
            && (self.paths.is_empty() || self.paths.iter().any(path))
            && (self.actions.is_empty()
                || !is_http && self.actions.iter().any(|pattern| name_matches(pattern, subject.action)))
    }

    fn method_matches(&self, method: &str) -> bool {
        let is_get_in_disguise = method == "HEAD" && self.recording.is_some();
        self.methods.contains(&method) || is_get_in_disguise && self.methods.contains(&"GET")
    }

    fn path_matches(&self, pattern: &str, path: &str) -> bool {
        let path = match path.strip_suffix('/') {
            Some(trimmed) if path != "/" && self.recording.is_some() => trimmed,
            _ => path,
        };
        glob(&segments(pattern), &segments(path))
    }
}

fn segments(path: &str) -> Vec<&str> {
    match path {
        "/" => Vec::new(),
        path => path.split('/').skip(1).collect(),
    }
}

fn name_matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

/// The obvious meaning of a path pattern.
fn glob(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**", rest @ ..], _) => (0..=path.len()).any(|skip| glob(rest, &path[skip..])),
        (["*", rest @ ..], [first, others @ ..]) => !first.is_empty() && glob(rest, others),
        ([word, rest @ ..], [first, others @ ..]) => word == first && glob(rest, others),
        _ => false,
    }
}

fn first_match<'a>(rules: &'a [Written], subject: &Subject<'_>) -> &'a str {
    let first = rules.iter().find(|rule| rule.matches(subject));
    first.map_or("default", |rule| &rule.name)
}

/// A policy made from rules some of which may never match.
struct Loaded {
    policy: Policy,
    possible: Vec<Written>,
    /// The rules that were refused, each with those that stood before it.
    impossible: Vec<(Vec<Written>, Written)>,
}

/// Leaves out rules until the others make a policy.
fn load_possible(rules: &[Written]) -> Loaded {
    let mut possible = rules.to_vec();
    let mut impossible = Vec::new();
    loop {
        let text: String = possible.iter().map(Written::toml).collect();
        let error = match Policy::from_toml(&text) {
            Ok(policy) => {
                return Loaded { policy, possible, impossible };
            }
            Err(error) => error,
        };
        let Some(Mistake::NeverMatches { rule, .. }) = error.mistake() else { panic!("{error}") };
        let mut names = possible.iter().map(|known| &known.name);
        let at = names.position(|name| name == rule).unwrap();
        impossible.push((possible[..at].to_vec(), possible.remove(at)));
    }
}

fn kind() -> impl Strategy<Value = ActorType> {
    prop::sample::select(ActorType::ALL.to_vec())
}

fn some_of(words: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![
        2 => Just(Vec::new()),
        1 => prop::collection::vec(prop::sample::select(words), 1..4),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["a", "b", "c d", "*"]);
    let words = prop::collection::vec(word, 0..4);
    (words, prop::option::of(0_usize..4)).prop_map(|(mut words, open)| {
        if let Some(place) = open {
            words.insert(place.min(words.len()), "**");
        }
        format!("/{}", words.join("/"))
    })
}

const RECORDING: &[&str] = &[
    "on_failure = \"allow\"",
    "durability = \"written\"",
    "durability = \"replicated\"\ncopies = 2",
    "on_failure = \"allow\"\ndurability = \"locked\"",
    "await_outcome = true",
    "level = \"request\"",
    "",
];

fn rule() -> impl Strategy<Value = Written> {
    (
        prop_oneof![
            2 => Just(Vec::new()),
            1 => prop::collection::vec(kind(), 1..4).prop_map(|mut kinds| {
                kinds.push(ActorType::User);
                kinds
            }),
        ],
        some_of(&["x", "xy", "x*", "*", "y*"]),
        prop_oneof![2 => Just(Vec::new()), 1 => some_of(&["i", "ij", "i*", "k*"])],
        some_of(&["GET", "HEAD", "POST"]),
        prop_oneof![1 => Just(Vec::new()), 4 => prop::collection::vec(pattern(), 1..4)],
        prop_oneof![4 => Just(Vec::new()), 1 => some_of(&["s.T/a", "s.T/*", "s*"])],
        prop::option::weighted(0.8, prop::sample::select(RECORDING)),
    )
        .prop_map(|(actors, actor_ids, issuers, methods, paths, actions, recording)| Written {
            name: String::new(),
            actors,
            actor_ids,
            issuers,
            methods,
            paths,
            actions,
            recording,
        })
}

fn rules() -> impl Strategy<Value = Vec<Written>> {
    prop::collection::vec(rule(), 1..8).prop_map(|mut rules| {
        for (index, rule) in rules.iter_mut().enumerate() {
            rule.name = format!("r{index}");
        }
        rules
    })
}

/// A subject that owns what it is made of.
#[derive(Clone, Debug)]
struct Asked {
    actor: Actor,
    action: &'static str,
    method: Option<&'static str>,
    path: Option<String>,
}

impl Asked {
    fn subject(&self) -> Subject<'_> {
        let mut subject = Subject::new(&self.actor, self.action);
        subject.method = self.method;
        subject.path = self.path.as_deref();
        subject
    }
}

fn plain_path() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["a", "b", "c", ".a", "..."]);
    (prop::collection::vec(word, 0..5), any::<bool>()).prop_map(|(words, slash)| {
        let slash = if slash && !words.is_empty() { "/" } else { "" };
        format!("/{}{slash}", words.join("/"))
    })
}

fn asked_for(path: impl Strategy<Value = Option<String>>) -> impl Strategy<Value = Asked> {
    (
        (
            kind(),
            prop::option::of(prop::sample::select(vec!["x", "xy", "y", "z"])),
            prop::option::of(prop::sample::select(vec!["i", "ij", "k"])),
            any::<bool>(),
        ),
        prop::sample::select(vec!["s.T/a", "s.T/b", "t", "GET /a", "POST /{x}"]),
        prop::option::of(prop::sample::select(vec!["GET", "HEAD", "POST", "DELETE"])),
        path,
    )
        .prop_map(|((kind, id, issuer, verified), action, method, path)| {
            let mut actor = Actor::new(kind);
            actor.id = id.map(str::to_owned);
            actor.issuer = issuer.map(str::to_owned);
            actor.verified = verified;
            Asked { actor, action, method, path }
        })
}

fn asked() -> impl Strategy<Value = Asked> {
    asked_for(prop_oneof![
        8 => plain_path().prop_map(Some),
        1 => Just(None),
        1 => Just(Some("*".to_owned())),
    ])
}

/// One way to spell a path so that only some servers understand the same by it.
fn respell(path: &str, trick: u8, place: usize) -> String {
    let at = |character: char| {
        let places: Vec<_> = path.match_indices(character).map(|(index, _)| index).collect();
        places[place % places.len()]
    };
    let slash = at('/');
    let (before, after) = path.split_at(slash);
    match trick {
        0 => format!("{before}/{after}"),
        1 => format!("{before}/.{after}"),
        2 => format!("{before}/zzz/..{after}"),
        3 => format!("{before}/zzz/%2e%2E{after}"),
        4 => format!("{before}/zzz/.%2e{after}"),
        5 if slash > 0 => format!("{before}%2f{}", &after[1..]),
        6 if slash > 0 => format!("{before}\\{}", &after[1..]),
        7 => format!("{path}?x=/b"),
        8 => format!("{path}#b"),
        9 => format!("{path}%00"),
        10 => format!("{before}/zzz%2f..{after}"),
        11 if slash > 0 => format!("{before}%252F{}", &after[1..]),
        12 if path.len() > 1 => path[1..].to_owned(),
        13 => format!("{before}/zzz/%252e%252e{after}"),
        14 => format!("{path}/"),
        _ => {
            let letters: Vec<_> = path.char_indices().filter(|(_, c)| *c != '/').collect();
            let Some((index, letter)) = letters.get(place % letters.len().max(1)) else {
                return format!("{path}/.");
            };
            let escape = match trick % 3 {
                0 => format!("%{:02x}", *letter as u32),
                1 => format!("%{:02X}", *letter as u32),
                _ => format!("%25{:02x}", *letter as u32),
            };
            format!("{}{escape}{}", &path[..*index], &path[index + 1..])
        }
    }
}

fn is_weaker_in_something(rule: &Rule, than: &Rule) -> bool {
    rule.level() < than.level()
        || rule.durability() < than.durability()
        || rule.copies() < than.copies()
        || rule.on_failure() < than.on_failure()
        || than.await_outcome() && !rule.await_outcome()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_first_rule_that_obviously_matches_decides(
        rules in rules(),
        asked in prop::collection::vec(asked(), 1..20),
    ) {
        let Loaded { policy, possible: rules, .. } = load_possible(&rules);
        for asked in &asked {
            let subject = asked.subject();
            let decided = policy.decide(&subject);
            prop_assert_eq!(decided.name(), first_match(&rules, &subject));
        }
    }

    #[test]
    fn a_rule_refused_as_impossible_is_never_the_first_match(
        rules in rules(),
        asked in prop::collection::vec(asked(), 1..20),
    ) {
        for (before, rule) in load_possible(&rules).impossible {
            for asked in &asked {
                let subject = asked.subject();
                let reached = rule.matches(&subject)
                    && !before.iter().any(|earlier| earlier.matches(&subject));
                prop_assert!(!reached, "{:?}", asked);
            }
        }
    }

    #[test]
    fn a_path_rule_is_refused_exactly_when_no_path_reaches_it(
        wide in prop::collection::vec(pattern(), 1..4),
        narrow in prop::collection::vec(pattern(), 1..3),
    ) {
        let alphabet = ["a", "b", "c d", "zzz"];
        let mut words: Vec<Vec<&str>> = vec![Vec::new()];
        let mut longest = words.clone();
        // Four words and `**` on either side: six segments show every difference between them.
        for _ in 0..6 {
            longest = longest
                .iter()
                .flat_map(|word| alphabet.map(|next| [word.as_slice(), &[next]].concat()))
                .collect();
            words.extend(longest.iter().cloned());
        }
        let matches = |patterns: &[String], word: &[&str]| {
            patterns.iter().any(|pattern| glob(&segments(pattern), word))
        };
        let reached = words
            .iter()
            .any(|word| matches(&narrow, word) && !matches(&wide, word));
        let text = format!(
            "[[rule]]\nname = \"wide\"\npaths = {wide:?}\n[[rule]]\nname = \"narrow\"\npaths = {narrow:?}\n"
        );
        prop_assert_eq!(Policy::from_toml(&text).is_ok(), reached);
    }

    #[test]
    fn no_spelling_of_a_path_gets_a_weaker_rule_than_the_plain_one(
        rules in rules(),
        asked in asked_for(plain_path().prop_map(Some)),
        tricks in prop::collection::vec((0_u8..24, any::<prop::sample::Index>()), 1..4),
    ) {
        let policy = load_possible(&rules).policy;
        let plain = policy.decide(&asked.subject());
        let mut path = asked.path.clone().unwrap();
        for (trick, place) in tricks {
            // A spelling that no longer starts with a slash cannot be spelled any further.
            if path.starts_with('/') {
                path = respell(&path, trick, place.index(64));
            }
        }
        let odd_asked = Asked { path: Some(path.clone()), ..asked };
        let odd = policy.decide(&odd_asked.subject());
        let is_plain = odd_asked.path.as_ref().is_some_and(|path| {
            path.starts_with('/') && !path.contains(['%', '\\', '?', '#']) && !path.contains("//")
                && !path.split('/').any(|segment| segment == "." || segment == "..")
        });
        prop_assert!(is_plain || odd.level() != Level::None, "{} {}", path, odd.name());
        prop_assert!(!is_weaker_in_something(&odd, &plain), "{} {} {}", path, odd.name(), plain.name());
        if plain.level() != Level::None {
            prop_assert!(odd.cmp_strictness(&plain).is_ge(), "{} {} {}", path, odd.name(), plain.name());
        }
    }

    #[test]
    fn an_explanation_names_the_rule_that_decides_and_a_reason_for_each_other(
        rules in rules(),
        asked in asked(),
        trick in prop::option::of((0_u8..24, any::<prop::sample::Index>())),
    ) {
        let Loaded { policy, possible, .. } = load_possible(&rules);
        let mut asked = asked;
        if let (Some((trick, place)), Some(path)) = (trick, asked.path.as_ref().filter(|path| path.starts_with('/'))) {
            asked.path = Some(respell(path, trick, place.index(64)));
        }
        let subject = asked.subject();
        let explanation = policy.explain(&subject);
        let decided = policy.decide(&subject);
        prop_assert_eq!(explanation.rule.name(), decided.name());
        prop_assert!(explanation.rule.cmp_strictness(&decided).is_eq());
        prop_assert_eq!(policy.rules()[explanation.position].name(), explanation.rule.name());
        prop_assert!(explanation.passed_over.len() >= explanation.position);
        for passed in &explanation.passed_over {
            let unchosen = passed.because == [Mismatch::NotStrictest];
            prop_assert!(!passed.because.is_empty());
            prop_assert!(!unchosen || explanation.path_in_doubt);
            if !explanation.path_in_doubt {
                let rule = possible.iter().find(|rule| rule.name == passed.rule.name());
                prop_assert!(rule.is_some_and(|rule| !rule.matches(&subject)));
            }
            if unchosen {
                prop_assert!(passed.rule.cmp_strictness(&explanation.rule).is_le());
            }
        }
    }

    #[test]
    fn an_unverified_actor_gets_the_rule_of_a_stranger(rules in rules(), asked in asked()) {
        let policy = load_possible(&rules).policy;
        let mut claimed = asked;
        claimed.actor.verified = false;
        let stranger = Asked { actor: Actor::unauthenticated(), ..claimed.clone() };
        let (claimed, stranger) = (claimed.subject(), stranger.subject());
        let (as_claimed, as_stranger) = (policy.decide(&claimed), policy.decide(&stranger));
        prop_assert_eq!(as_claimed.name(), as_stranger.name());
        prop_assert!(as_claimed.cmp_strictness(&as_stranger).is_eq());
    }

    #[test]
    fn no_subject_makes_decide_panic(
        rules in rules(),
        id in ".{0,8}", action in ".{0,8}", method in ".{0,4}",
        path in prop_oneof![".{0,16}", "[/.%2eF5a*\\\\]{0,24}"],
    ) {
        let policy = load_possible(&rules).policy;
        let actor = Actor::service_account(id).verified();
        let subject = Subject::new(&actor, &action).method(&method).path(&path);
        let name = policy.decide(&subject).name().to_owned();
        prop_assert!(policy.rules().iter().any(|rule| rule.name() == name));
    }

    #[test]
    fn no_text_makes_loading_panic(
        text in prop_oneof![".{0,64}", "[\\[\\]rule=name\"a\n,{} 0-9x_#']{0,64}"],
        rules in rules(),
        cut in any::<prop::sample::Index>(),
    ) {
        let _ = Policy::from_toml(&text);
        let mut whole: String = rules.iter().map(Written::toml).collect();
        let places: Vec<_> = whole.char_indices().map(|(index, _)| index).collect();
        let place = places[cut.index(places.len())];
        whole.insert_str(place, &text);
        match Policy::from_toml(&whole) {
            Ok(policy) => prop_assert_eq!(policy.text(), &whole),
            Err(error) => {
                let (line, column) = error.position().unwrap();
                let lines: Vec<_> = whole.split('\n').collect();
                prop_assert!(line <= lines.len());
                prop_assert!(column <= lines[line - 1].chars().count() + 1);
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}
