// Reads a JSON list of texts from stdin, writes what sms-segments-calculator says about each.
// Array.from: a Segment is an Array whose own filter() would start with a header again.
const { SegmentedMessage } = require("sms-segments-calculator");
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answers = texts.map((text) => {
  const message = new SegmentedMessage(text);
  const segments = message.segments.map((segment) =>
    Array.from(segment).filter((item) => !item.isUserDataHeader).map((item) => item.raw).join(""));
  return { text, encoding: message.encodingName, segments };
});
process.stdout.write(JSON.stringify(answers));
