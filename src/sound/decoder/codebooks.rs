//! The size of Vorbis codebooks, before a decoder makes room for them: some octets may ask for terabytes.

/// Numbers in one codebook; the largest that libvorbis writes has 52,488.
const LARGEST: u64 = 1 << 18;
/// Numbers in all of them.
const LARGEST_SUM: u64 = 1 << 20;

/// Reads bits, the lowest of an octet first.
struct Bits<'a> {
    octets: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for n in 0..count {
            let bit = self.octets.get(self.at / 8)? >> (self.at % 8) & 1;
            value |= u32::from(bit) << n;
            self.at += 1;
        }
        Some(value)
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        self.at = self.at.checked_add(usize::try_from(count).ok()?)?;
        (self.at <= self.octets.len() * 8).then_some(())
    }
}

/// Walks over the codebooks of a setup header (Vorbis I, section 3.2.1).
///
/// # Errors
/// They are cut, or larger than any that is in use.
pub(super) fn check(setup: &[u8]) -> Result<(), &'static str> {
    let octets = setup.get(7..).unwrap_or_default();
    let mut bits = Bits { octets, at: 0 };
    let cut = "its codebooks are cut";
    let count = bits.take(8).ok_or(cut)? + 1;
    let mut sum = 0;
    for _ in 0..count {
        let size = codebook(&mut bits).ok_or(cut)?;
        sum += size;
        if size > LARGEST || sum > LARGEST_SUM {
            return Err("its codebooks are larger than any that is in use");
        }
    }
    Ok(())
}

/// The numbers in the codebook that begins here; 0 dimensions count as too many.
fn codebook(bits: &mut Bits<'_>) -> Option<u64> {
    bits.take(24)?;
    let dimensions = bits.take(16)?;
    let entries = bits.take(24)?;
    let size = u64::from(dimensions.max(1)) * u64::from(entries);
    if dimensions == 0 || size > LARGEST {
        return Some(LARGEST + 1);
    }
    let is_ordered = bits.take(1)? == 1;
    if is_ordered {
        bits.take(5)?;
        let mut entry = 0;
        while entry < entries {
            entry += bits.take(u32::BITS - (entries - entry).leading_zeros())?;
        }
    } else if bits.take(1)? == 1 {
        for _ in 0..entries {
            if bits.take(1)? == 1 {
                bits.skip(5)?;
            }
        }
    } else {
        bits.skip(5 * u64::from(entries))?;
    }
    let lookup = bits.take(4)?;
    if lookup == 1 || lookup == 2 {
        bits.skip(64)?;
        let value_bits = bits.take(4)? + 1;
        bits.skip(1)?;
        let values = if lookup == 1 { root(entries, dimensions) } else { size };
        bits.skip(values * u64::from(value_bits))?;
    }
    Some(size)
}

/// The greatest number whose power of `dimensions` is at most `entries` (section 9.2.3).
fn root(entries: u32, dimensions: u32) -> u64 {
    let fits = |value: u64| value.checked_pow(dimensions).is_some_and(|power| power <= entries.into());
    (1..).take_while(|value| fits(*value)).last().unwrap_or(0)
}
