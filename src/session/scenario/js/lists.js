// What `guards.rs` puts in the place of methods that may loop in the engine's own code, and what it asks about others.

const { SystemSet } = part("core");
const { apply } = Reflect;
const { forEach } = Array.prototype;
const { has, values } = SystemSet.prototype;

function* dropped(items, count) {
  for (const item of items) {
    if (count > 0) count -= 1;
    else yield item;
  }
}

const isIn = (set, item) => apply(has, set, [item]);

/** The members of a Set that a method is called on. */
const own = (set) => [...apply(values, set, [])];

/** Those of a Set, or the keys of a Map. Of what only looks like one nobody knows whether it ends. */
function members(other) {
  if (!(other instanceof SystemSet || other instanceof Map) || Object.hasOwn(other, "keys")) {
    throw new TypeError("this takes a Set or a Map");
  }
  return [...other.keys()];
}

return {
  Array: {
    flat(depth = 1) {
      const whole = [];
      const add = (list, left) => apply(forEach, list, [(item) => {
        if (left >= 1 && Array.isArray(item)) add(item, left - 1);
        else whole.push(item);
      }]);
      add(this, Number(depth) || 0);
      return whole;
    },
    flatMap(callback, self) {
      const whole = [];
      apply(forEach, this, [(item, at) => {
        const made = apply(callback, self, [item, at, this]);
        if (Array.isArray(made)) apply(forEach, made, [(one) => whole.push(one)]);
        else whole.push(made);
      }]);
      return whole;
    },
  },
  Set: {
    union(other) { return new SystemSet([...own(this), ...members(other)]); },
    intersection(other) {
      const [mine, theirs] = [own(this), members(other)];
      // In the order of the smaller.
      if (mine.length > theirs.length) return new SystemSet(theirs.filter((item) => isIn(this, item)));
      return new SystemSet(mine.filter((item) => other.has(item)));
    },
    difference(other) {
      members(other);
      return new SystemSet(own(this).filter((item) => !other.has(item)));
    },
    symmetricDifference(other) {
      const [mine, theirs] = [own(this), members(other)];
      const [left, right] = [mine.filter((item) => !other.has(item)), theirs.filter((item) => !isIn(this, item))];
      return new SystemSet([...left, ...right]);
    },
    isSubsetOf(other) {
      members(other);
      return own(this).every((item) => other.has(item));
    },
    isSupersetOf(other) {
      own(this);
      return members(other).every((item) => isIn(this, item));
    },
    isDisjointFrom(other) {
      members(other);
      return !own(this).some((item) => other.has(item));
    },
  },
  Iterator: {
    drop(count) {
      if (!(Number(count) >= 0)) throw new RangeError("drop: the count is none");
      return dropped(this, Math.trunc(count));
    },
  },

  // Made each time: it takes five kilobytes.
  hasManyMarks: (words) => new RegExp("\\p{M}{5000}", "u").test(words),
};
