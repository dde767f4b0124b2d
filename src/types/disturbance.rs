//! In which ways a participant disturbs a conference.

use std::fmt;

/// What a participant sends that is no speech, and that all others hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disturbance {
    /// What it was sent, once more.
    Echo,
    /// A steady noise: a fan, a hum, a tone.
    Noise,
    /// Music, as of a telephone that put the conference on hold.
    Music,
}

impl Disturbance {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Echo, Self::Noise, Self::Music];

    /// As dialplan, status and events have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Noise => "noise",
            Self::Music => "music",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Some of them. Written as a list: `["echo", "music"]`; displayed with commas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Disturbances(u8);

impl Disturbances {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// Whether it is one of them.
    #[must_use]
    pub const fn contains(self, disturbance: Disturbance) -> bool {
        self.0 & disturbance.bit() != 0
    }

    /// Whether some are among the others as well.
    #[must_use]
    pub const fn intersects(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Adds one, or takes it out; says whether that changes anything.
    pub const fn set(&mut self, disturbance: Disturbance, on: bool) -> bool {
        let before = self.0;
        self.0 = if on { before | disturbance.bit() } else { before & !disturbance.bit() };
        self.0 != before
    }

    /// What was displayed, read again; what is none of them is left out.
    #[must_use]
    pub fn named(displayed: &str) -> Self {
        let named = |name: &str| Disturbance::ALL.into_iter().find(|disturbance| disturbance.name() == name.trim());
        displayed.split(',').filter_map(named).collect()
    }

    /// Each of them, in their order.
    pub fn iter(self) -> impl Iterator<Item = Disturbance> {
        Disturbance::ALL.into_iter().filter(move |disturbance| self.contains(*disturbance))
    }
}

impl FromIterator<Disturbance> for Disturbances {
    fn from_iter<I: IntoIterator<Item = Disturbance>>(all: I) -> Self {
        let mut some = Self::default();
        all.into_iter().for_each(|disturbance| {
            some.set(disturbance, true);
        });
        some
    }
}

impl fmt::Display for Disturbances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, disturbance) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{disturbance}")?;
        }
        Ok(())
    }
}

impl serde::Serialize for Disturbances {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> serde::Deserialize<'de> for Disturbances {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Disturbance>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_read_as_they_are_written_and_told_in_their_order() {
        let mut some: Disturbances = [Disturbance::Music, Disturbance::Echo].into_iter().collect();
        assert_eq!((some.to_string().as_str(), some.is_empty()), ("echo, music", false));
        let written = serde_json::to_string(&some).unwrap();
        assert_eq!(written, r#"["echo","music"]"#);
        assert_eq!(serde_json::from_str::<Disturbances>(&written).unwrap(), some);
        assert_eq!(Disturbances::named(&some.to_string()), some);
        assert_eq!(Disturbances::named("music,dogs,"), [Disturbance::Music].into_iter().collect());
        assert!(Disturbances::named("").is_empty());
        assert!(some.set(Disturbance::Echo, false) && !some.set(Disturbance::Echo, false));
        assert!(some.intersects(Disturbance::ALL.into_iter().collect()) && !some.contains(Disturbance::Echo));
    }
}
