//! GSM 06.10 full rate (ETSI EN 300 961), decoding alone: sound files of voice mail and switchboards hold it.
//!
//! Bit exact: every operation is the standard's, on 16 bits that saturate (section 5.1). The names are those of its
//! section 5.3.

/// Samples of a frame: 20 ms at 8 kHz.
pub const FRAME: usize = 160;
/// Octets of a frame as it stands in files and in RTP (RFC 3551 section 4.5.8).
pub const OCTETS: usize = 33;
/// Octets of two frames as they stand in WAV files.
pub const PAIR_OCTETS: usize = 65;

/// What the four high bits of a frame of [`OCTETS`] are.
const SIGNATURE: u8 = 0xD;
/// Bits of the log area ratios, in their order.
const LAR_BITS: [u32; 8] = [6, 6, 5, 5, 4, 4, 3, 3];
/// Table 5.1: B, MIC and INVA.
const LAR_B: [i16; 8] = [0, 0, 2_048, -2_560, 94, -1_792, -341, -1_144];
const LAR_MIC: [i16; 8] = [-32, -32, -16, -16, -8, -8, -4, -4];
const LAR_INVA: [i16; 8] = [13_107, 13_107, 13_107, 13_107, 19_223, 17_476, 31_454, 29_708];
/// Table 5.3b: the gain of the long term predictor.
const QLB: [i16; 4] = [3_277, 11_469, 21_299, 32_767];
/// Table 5.6: the mantissa of the block amplitude.
const FAC: [i16; 8] = [18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767];
/// The longest lag.
const LONGEST_LAG: usize = 120;
/// Samples of one of the four sub-frames.
const SUB_FRAME: usize = 40;

/// Decodes one stream.
#[derive(Debug, Clone)]
pub struct Decoder {
    /// The past of the long term predictor, oldest first.
    drp: [i16; LONGEST_LAG],
    nrp: usize,
    larpp: [i16; 8],
    /// The lattice.
    v: [i16; 9],
    msr: i16,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { drp: [0; LONGEST_LAG], nrp: 40, larpp: [0; 8], v: [0; 9], msr: 0 }
    }
}

/// The parameters of a frame.
struct Parameters {
    larc: [i16; 8],
    sub_frames: [SubFrame; 4],
}

struct SubFrame {
    nc: usize,
    bc: usize,
    mc: usize,
    xmaxc: i16,
    xmc: [i16; 13],
}

impl Parameters {
    /// Reads them in their order; `take` gives the next so many bits.
    fn read(mut take: impl FnMut(u32) -> u8) -> Self {
        let larc = LAR_BITS.map(|bits| i16::from(take(bits)));
        let sub_frames = std::array::from_fn(|_| SubFrame {
            nc: take(7).into(),
            bc: take(2).into(),
            mc: take(2).into(),
            xmaxc: take(6).into(),
            xmc: std::array::from_fn(|_| take(3).into()),
        });
        Self { larc, sub_frames }
    }
}

impl Decoder {
    /// Decodes a frame with the highest bit first; `None` where it does not begin as every frame does.
    pub fn decode(&mut self, frame: &[u8; OCTETS]) -> Option<[i16; FRAME]> {
        if frame[0] >> 4 != SIGNATURE {
            return None;
        }
        let mut at = 4;
        let parameters = Parameters::read(|bits| {
            let bit = |n: usize| frame[n / 8] >> (7 - n % 8) & 1;
            let value = (at..at + bits as usize).fold(0, |value, n| value << 1 | bit(n));
            at += bits as usize;
            value
        });
        Some(self.run(&parameters))
    }

    /// Decodes two frames as they stand in WAV files: 260 bits each, one behind the other, the lowest bit first.
    pub fn decode_pair(&mut self, pair: &[u8; PAIR_OCTETS]) -> [[i16; FRAME]; 2] {
        let mut at = 0;
        let mut take = |bits: u32| {
            let bit = |n: usize| pair[n / 8] >> (n % 8) & 1;
            let value = (0..bits as usize).fold(0, |value, n| value | bit(at + n) << n);
            at += bits as usize;
            value
        };
        [(); 2].map(|()| self.run(&Parameters::read(&mut take)))
    }

    fn run(&mut self, parameters: &Parameters) -> [i16; FRAME] {
        let mut wt = [0; FRAME];
        for (sub_frame, out) in parameters.sub_frames.iter().zip(wt.as_chunks_mut::<SUB_FRAME>().0) {
            let erp = rpe_decoding(sub_frame);
            self.long_term_synthesis(sub_frame, &erp, out);
        }
        self.short_term_synthesis(&parameters.larc, &mut wt);
        for sample in &mut wt {
            self.msr = sample.saturating_add(mult_r(self.msr, 28_180));
            *sample = self.msr.saturating_add(self.msr) & !7;
        }
        wt
    }

    /// Section 5.3.2.
    fn long_term_synthesis(&mut self, SubFrame { nc, bc, .. }: &SubFrame, erp: &[i16; SUB_FRAME], out: &mut [i16]) {
        if (SUB_FRAME..=LONGEST_LAG).contains(nc) {
            self.nrp = *nc;
        }
        let brp = QLB[*bc];
        for (k, (place, erp)) in out.iter_mut().zip(erp).enumerate() {
            // No lag is shorter than a sub-frame: it is all past.
            *place = erp.saturating_add(mult_r(brp, self.drp[LONGEST_LAG - self.nrp + k]));
        }
        self.drp.copy_within(SUB_FRAME.., 0);
        self.drp[LONGEST_LAG - SUB_FRAME..].copy_from_slice(out);
    }

    /// Sections 5.2.8, 5.2.9 and 5.3.3.
    fn short_term_synthesis(&mut self, larc: &[i16; 8], wt: &mut [i16; FRAME]) {
        let before = self.larpp;
        for (i, larc) in larc.iter().enumerate() {
            let value = (larc + LAR_MIC[i]) << 10;
            let value = mult_r(LAR_INVA[i], value.saturating_sub(LAR_B[i] << 1));
            self.larpp[i] = value.saturating_add(value);
        }
        let now = self.larpp;
        let between = |mix: fn(i16, i16) -> i16| std::array::from_fn(|i| reflection(mix(before[i], now[i])));
        let pieces: [(usize, [i16; 8]); 4] = [
            (13, between(|a, b| (a >> 2).saturating_add(b >> 2).saturating_add(a >> 1))),
            (27, between(|a, b| (a >> 1).saturating_add(b >> 1))),
            (40, between(|a, b| (a >> 2).saturating_add(b >> 2).saturating_add(b >> 1))),
            (FRAME, between(|_, b| b)),
        ];
        let mut from = 0;
        for (to, rrp) in pieces {
            for sample in &mut wt[from..to] {
                *sample = self.lattice(&rrp, *sample);
            }
            from = to;
        }
    }

    fn lattice(&mut self, rrp: &[i16; 8], wt: i16) -> i16 {
        let mut sri = wt;
        for i in (0..8).rev() {
            sri = sri.saturating_sub(mult_r(rrp[i], self.v[i]));
            self.v[i + 1] = self.v[i].saturating_add(mult_r(rrp[i], sri));
        }
        self.v[0] = sri;
        sri
    }
}

/// Section 5.3.1: the residual signal of a sub-frame.
fn rpe_decoding(SubFrame { mc, xmaxc, xmc, .. }: &SubFrame) -> [i16; SUB_FRAME] {
    let mut exp = if *xmaxc > 15 { (xmaxc >> 3) - 1 } else { 0 };
    let mut mant = xmaxc - (exp << 3);
    if mant == 0 {
        (exp, mant) = (-4, 7);
    } else {
        while mant <= 7 {
            mant = mant << 1 | 1;
            exp -= 1;
        }
        mant -= 8;
    }
    let factor = FAC[usize::from(mant.unsigned_abs() & 7)];
    // 0 to 10.
    let shift = 6 - exp;
    let rounding = if shift == 0 { 0 } else { 1 << (shift - 1) };
    let mut erp = [0; SUB_FRAME];
    for (i, xmc) in xmc.iter().enumerate() {
        let value = mult_r(factor, ((xmc << 1) - 7) << 12);
        erp[mc + 3 * i] = value.saturating_add(rounding) >> shift;
    }
    erp
}

/// Section 5.2.9.2: the reflection coefficient of a log area ratio.
const fn reflection(lar: i16) -> i16 {
    let size = if lar == i16::MIN { i16::MAX } else { lar.abs() };
    let value = match size {
        ..11_059 => size << 1,
        11_059..20_070 => size + 11_059,
        _ => (size >> 2).saturating_add(26_112),
    };
    if lar < 0 { -value } else { value }
}

/// The product of two fractions, rounded.
#[expect(clippy::cast_possible_truncation, reason = "a product of 15 bits and a sign, but for the one that saturates")]
const fn mult_r(a: i16, b: i16) -> i16 {
    if a == i16::MIN && b == i16::MIN { i16::MAX } else { ((a as i32 * b as i32 + 16_384) >> 15) as i16 }
}
