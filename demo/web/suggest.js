// A name and a password to begin with, so that one click is enough.

const FIRST = ["amber", "brisk", "calm", "clear", "early", "fresh", "gentle", "golden", "keen", "light", "lucky", "mild", "quick", "quiet", "silver", "sunny"];
const SECOND = ["bay", "birch", "cedar", "cloud", "creek", "field", "grove", "harbor", "island", "lake", "maple", "meadow", "river", "shore", "stone", "valley"];

function pick(list) {
  return list[random(list.length)];
}

/** A number from 0 to below the limit, which divides 2^32 or is small beside it. */
function random(limit) {
  return crypto.getRandomValues(new Uint32Array(1))[0] % limit;
}

/** Something like quiet_river_482: letters, digits and underscores only. */
export function suggestName() {
  return `${pick(FIRST)}_${pick(SECOND)}_${100 + random(900)}`;
}

/** Something like sensor-204817: the serial number of a thing that was just unpacked. */
export function suggestThing() {
  return `sensor-${100_000 + random(900_000)}`;
}

/** Twelve letters and digits without those that are mistaken for one another. */
export function suggestPassword() {
  const letters = "abcdefghjkmnpqrstuvwxyz23456789";
  return Array.from({ length: 12 }, () => letters[random(letters.length)]).join("");
}
