//! Levels that are compiled out, chosen by the features of the crate `log` and with their meaning:
//! `max_level_info` keeps INFO, WARNING and ERROR, `release_max_level_info` does so in builds
//! without debug assertions and is the stronger one there.

use millpond_core::Level;

/// Least to be kept, each by its feature. Of several, the first one counts: whoever asks for less
/// has a reason.
type Choice = (bool, Option<Level>);

macro_rules! choices {
    ($off:literal, $error:literal, $warn:literal, $info:literal, $debug:literal, $trace:literal) => {
        [
            (cfg!(feature = $off), None),
            (cfg!(feature = $error), Some(Level::Error)),
            (cfg!(feature = $warn), Some(Level::Warning)),
            (cfg!(feature = $info), Some(Level::Info)),
            (cfg!(feature = $debug), Some(Level::Debug)),
            (cfg!(feature = $trace), Some(Level::Trace)),
        ]
    };
}

const ALWAYS: [Choice; 6] = choices!(
    "max_level_off",
    "max_level_error",
    "max_level_warn",
    "max_level_info",
    "max_level_debug",
    "max_level_trace"
);

const IN_RELEASE: [Choice; 6] = choices!(
    "release_max_level_off",
    "release_max_level_error",
    "release_max_level_warn",
    "release_max_level_info",
    "release_max_level_debug",
    "release_max_level_trace"
);

/// The least severe level that is compiled in, `None` if there is none.
pub const STATIC_MAX_LEVEL: Option<Level> = least(cfg!(debug_assertions), &IN_RELEASE, &ALWAYS);

/// Whether calls at this level are compiled in.
#[inline(always)]
pub const fn allows(level: Level) -> bool {
    match STATIC_MAX_LEVEL {
        Some(least) => level as u8 >= least as u8,
        None => false,
    }
}

const fn least(is_debug: bool, in_release: &[Choice; 6], always: &[Choice; 6]) -> Option<Level> {
    let chosen = if is_debug { None } else { first(in_release) };
    match (chosen, first(always)) {
        (Some(least), _) | (None, Some(least)) => least,
        (None, None) => Some(Level::Trace),
    }
}

/// The first one that is chosen, if one is.
const fn first(choices: &[Choice; 6]) -> Option<Option<Level>> {
    let mut at = 0;
    while at < choices.len() {
        if let (true, least) = choices[at] {
            return Some(least);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(chosen: &[Option<Level>]) -> [Choice; 6] {
        ALWAYS.map(|(_, level)| (chosen.contains(&level), level))
    }

    #[test]
    fn features_choose_the_least_level() {
        let none = choices(&[]);
        assert_eq!(least(true, &none, &none), Some(Level::Trace));
        let info = choices(&[Some(Level::Info), Some(Level::Trace)]);
        assert_eq!(least(true, &none, &info), Some(Level::Info));
        let off = choices(&[None]);
        assert_eq!(least(true, &off, &info), Some(Level::Info), "this is no release");
        assert_eq!(least(false, &off, &info), None);
        let debug = choices(&[Some(Level::Debug)]);
        assert_eq!(least(false, &debug, &info), Some(Level::Debug), "in a release it is stronger");
    }
}
