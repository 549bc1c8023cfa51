// Times of the desktop: durations as people read them, and moments in the contact's own time zone.

export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

export function zoneOf(contact) {
  const named = contact?.card?.time_zone;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: named || undefined }).resolvedOptions().timeZone;
  } catch {
    return Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
}

// Minutes by which a zone is ahead of UTC at a moment.
function offset(moment, zone) {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  }).formatToParts(moment);
  const { year, month, day, hour, minute } = Object.fromEntries(parts.map((each) => [each.type, Number(each.value)]));
  const there = Date.UTC(year, month - 1, day, hour, minute);
  return (there - Math.floor(moment.getTime() / 60000) * 60000) / 60000;
}

// The moment at which clocks in a zone show this date (YYYY-MM-DD) and time (HH:MM); null when it is none.
export function momentIn(zone, date, time) {
  const wanted = Date.parse(`${date}T${time}:00Z`);
  if (Number.isNaN(wanted)) return null;
  let found = new Date(wanted);
  // Twice, because the offset may change between the guess and the moment itself.
  for (let round = 0; round < 2; round += 1) found = new Date(wanted - offset(found, zone) * 60000);
  return found;
}

export function fieldsIn(zone, moment) {
  const there = new Date(moment.getTime() + offset(moment, zone) * 60000).toISOString();
  return { date: there.slice(0, 10), time: there.slice(11, 16) };
}

export function shown(moment, zone) {
  return new Intl.DateTimeFormat(undefined, { timeZone: zone, dateStyle: "medium", timeStyle: "short" }).format(moment);
}
