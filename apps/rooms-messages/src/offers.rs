//! What can be wished of a device: which verbs, with which of its own words.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::str::FromStr;

use crate::arguments::Arguments;
use crate::choice::choice;
use crate::error::{BadName, Malformed};
use crate::line::Writer;
use crate::name::Word;
use crate::number::Number;

choice! {
    /// A verb of a wish that is for a device, or of a room's wish that the device fulfils.
    pub DeviceVerb {
        /// On and off.
        Turn = "turn",
        /// One of its sources is shown.
        Select = "select",
        /// Its picture can be dark.
        Blank = "blank",
        /// It can be silent, or deaf.
        Mute = "mute",
        /// It is the one that makes its room louder.
        Volume = "volume",
        /// It is the one that sets its room's scenes.
        Scene = "scene",
        /// Its outputs are set one by one.
        Set = "set",
        /// It turns.
        Move = "move",
        /// It zooms.
        Zoom = "zoom",
        /// It remembers views.
        Preset = "preset",
    }
}

/// What can be wished of one device. What is empty is not said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offers {
    /// The verbs that it is there for.
    pub verbs: Vec<DeviceVerb>,
    /// What `select` takes.
    pub sources: Vec<Word>,
    /// What `scene` takes.
    pub scenes: Vec<Word>,
    /// The keys that `set` takes: levels of lights, relays of a screen.
    pub outputs: Vec<Word>,
    /// The views that have a name.
    pub presets: BTreeMap<u8, PresetName>,
}

/// What people call a remembered view: any text of one line without `,` and `=`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PresetName(Box<str>);

impl PresetName {
    /// Checks `text`.
    ///
    /// # Errors
    /// It has `,`, `=` or a control character in it.
    pub fn new(text: &str) -> Result<Self, BadName> {
        if text.contains(Self::is_refused) {
            return Err(BadName::Preset(text.to_owned()));
        }
        Ok(Self(text.into()))
    }

    /// The same with blanks in place of what can't be in a name.
    #[must_use]
    pub fn clean(text: &str) -> Self {
        Self(text.replace(Self::is_refused, " ").into())
    }

    /// As people call it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_refused(character: char) -> bool {
        matches!(character, ',' | '=') || character.is_control()
    }
}

impl Display for PresetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Offers {
    /// Whether the device is there for this.
    #[must_use]
    pub fn has(&self, verb: DeviceVerb) -> bool {
        self.verbs.contains(&verb)
    }

    pub(crate) fn parse(a: &Arguments<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            verbs: list(a, "verbs")?,
            sources: list(a, "sources")?,
            scenes: list(a, "scenes")?,
            outputs: list(a, "outputs")?,
            presets: a.key::<Presets>("presets")?.map(|presets| presets.0).unwrap_or_default(),
        })
    }

    pub(crate) fn write<'w>(&self, w: &'w mut Writer) -> &'w mut Writer {
        let presets = self.presets.iter().map(|(number, name)| format!("{number}={name}"));
        w.optional("verbs", joined(&self.verbs).as_ref())
            .optional("sources", joined(&self.sources).as_ref())
            .optional("scenes", joined(&self.scenes).as_ref())
            .optional("outputs", joined(&self.outputs).as_ref())
            .optional("presets", joined(&presets.collect::<Vec<_>>()).as_ref())
    }

    /// Leaves out the last name of its line; false if there is none.
    pub(crate) fn pop(&mut self) -> bool {
        self.presets.pop_last().is_some()
            || self.outputs.pop().is_some()
            || self.scenes.pop().is_some()
            || self.sources.pop().is_some()
    }
}

/// Words with commas between them; none without words.
fn joined(words: &[impl Display]) -> Option<String> {
    let words: Vec<_> = words.iter().map(ToString::to_string).collect();
    (!words.is_empty()).then(|| words.join(","))
}

struct List<T>(Vec<T>);

impl<T: FromStr> FromStr for List<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        text.split(',').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

fn list<T: FromStr<Err: Display>>(a: &Arguments<'_>, key: &str) -> Result<Vec<T>, Malformed> {
    Ok(a.key::<List<T>>(key)?.map(|list| list.0).unwrap_or_default())
}

struct Presets(BTreeMap<u8, PresetName>);

impl FromStr for Presets {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut presets = BTreeMap::new();
        for preset in text.split(',') {
            let (number, name) = preset
                .split_once('=')
                .ok_or_else(|| format!("{preset:?} is no view such as 1=Table"))?;
            let number = number.parse::<Number<u8>>()?.0;
            let name = PresetName::new(name).map_err(|error| error.to_string())?;
            if presets.insert(number, name).is_some() {
                return Err(format!("the view {number} stands there twice"));
            }
        }
        Ok(Self(presets))
    }
}
