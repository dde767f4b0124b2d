//! Packets that wait, in a fixed amount of memory.

/// Packets that may wait: 640 ms in packets of 10 ms.
pub(super) const SLOTS: usize = 64;
/// Octets of payload that may wait: half a second of G.711.
const CAPACITY: usize = 4_096;
/// The longest payload: 200 ms of G.711 (RFC 3551 section 4.2). The ring holds two of them, and never needs more.
pub(super) const MAX_PAYLOAD: usize = 1_600;

/// A packet that waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub sequence: i64,
    /// Number of its first sample.
    pub media: i64,
    pub samples: i64,
    /// Arrival, microseconds since the buffer's epoch.
    pub arrival: i64,
    pub payload_type: u8,
    /// Where its payload begins, counted in octets ever written.
    position: u64,
    len: u16,
}

/// Entries in the order of sequence numbers, and a ring of octets for their payloads. A payload that the ring has
/// overwritten is lost; with half a second of room that is longer ago than any packet should wait.
///
/// Mostly one packet waits, or none: the same few lines of memory are used for each.
#[derive(Debug)]
pub(super) struct Store {
    /// Room for [`SLOTS`], and none spans more sequence numbers than that.
    entries: Vec<Entry>,
    octets: Box<[u8; CAPACITY]>,
    /// Octets written since the store was empty, gaps at the end of the ring included.
    written: u64,
}

impl Store {
    pub fn new() -> Self {
        Self { entries: Vec::with_capacity(SLOTS), octets: Box::new([0; CAPACITY]), written: 0 }
    }

    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Stores a packet; the payload is at most [`MAX_PAYLOAD`] octets. Returns how many others had to go for it:
    /// those that are [`SLOTS`] older.
    pub fn insert(&mut self, mut entry: Entry, payload: &[u8]) -> u64 {
        if self.entries.is_empty() {
            self.written = 0;
        }
        let payload = &payload[..payload.len().min(MAX_PAYLOAD)];
        let mut offset = (self.written % CAPACITY as u64) as usize;
        if offset + payload.len() > CAPACITY {
            self.written += (CAPACITY - offset) as u64;
            offset = 0;
        }
        self.octets[offset..offset + payload.len()].copy_from_slice(payload);
        entry.position = self.written;
        #[expect(clippy::cast_possible_truncation, reason = "MAX_PAYLOAD at most")]
        {
            entry.len = payload.len() as u16;
        }
        self.written += payload.len() as u64;
        let mut gone = self.discard_before(entry.sequence - (SLOTS as i64 - 1));
        let place = self.entries.iter().rposition(|other| other.sequence <= entry.sequence).map_or(0, |at| at + 1);
        let twin = place.checked_sub(1).filter(|before| self.entries[*before].sequence == entry.sequence);
        if let Some(twin) = twin {
            self.entries[twin] = entry;
            gone += 1;
        } else if self.entries.len() < SLOTS {
            self.entries.insert(place, entry);
        } else {
            // Too old beside a full store: as good as overwritten.
            gone += 1;
        }
        gone
    }

    /// The oldest packet that waits, `from` or later.
    pub fn first_from(&self, from: i64) -> Option<Entry> {
        self.entries.iter().find(|entry| entry.sequence >= from).copied()
    }

    /// The newest packet that waits.
    pub fn last(&self) -> Option<Entry> {
        self.entries.last().copied()
    }

    /// Removes what is older than `sequence`. Returns how many.
    pub fn discard_before(&mut self, sequence: i64) -> u64 {
        let older = self.entries.iter().take_while(|entry| entry.sequence < sequence).count();
        self.entries.drain(..older);
        older as u64
    }

    /// Removes a packet.
    pub fn remove(&mut self, entry: &Entry) {
        if let Some(at) = self.entries.iter().position(|other| other.sequence == entry.sequence) {
            self.entries.remove(at);
        }
    }

    /// The payload of a packet (which may have been removed just now); `None` when it has been overwritten.
    pub fn payload(&self, entry: &Entry) -> Option<&[u8]> {
        if self.written > entry.position + CAPACITY as u64 {
            return None;
        }
        let offset = (entry.position % CAPACITY as u64) as usize;
        self.octets.get(offset..offset + usize::from(entry.len))
    }
}

impl Entry {
    pub const fn new(sequence: i64, media: i64, samples: i64, arrival: i64, payload_type: u8) -> Self {
        Self { sequence, media, samples, arrival, payload_type, position: 0, len: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sequence: i64) -> Entry {
        Entry::new(sequence, sequence * 160, 160, 0, 0)
    }

    #[test]
    fn packets_come_out_in_order_with_their_own_payload() {
        let mut store = Store::new();
        for sequence in [5, 3, 4, -1] {
            assert_eq!(store.insert(entry(sequence), &[sequence as u8; 160]), 0);
        }
        for sequence in [-1, 3, 4, 5] {
            let first = store.first_from(i64::MIN / 2).unwrap();
            assert_eq!(first.sequence, sequence);
            store.remove(&first);
            assert_eq!(store.payload(&first).unwrap(), [sequence as u8; 160]);
        }
        assert!(store.is_empty());
        assert!(store.first_from(0).is_none());
    }

    #[test]
    fn the_ring_never_gives_another_packets_octets() {
        let mut store = Store::new();
        for sequence in 0..500i64 {
            store.insert(entry(sequence), &vec![sequence as u8; 1 + (sequence as usize * 37) % MAX_PAYLOAD]);
            let mut from = sequence - 70;
            while let Some(entry) = store.first_from(from) {
                if let Some(payload) = store.payload(&entry) {
                    assert!(payload.iter().all(|octet| *octet == entry.sequence as u8));
                    assert_eq!(payload.len(), 1 + (entry.sequence as usize * 37) % MAX_PAYLOAD);
                }
                from = entry.sequence + 1;
            }
        }
        assert_eq!(store.entries.len(), SLOTS);
        assert_eq!(store.entries.capacity(), SLOTS, "it never grows");
        assert_eq!(store.discard_before(490), SLOTS as u64 - 10);
        assert_eq!(store.first_from(0).unwrap().sequence, 490);
    }
}
