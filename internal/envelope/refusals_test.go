package envelope_test

import (
	"fmt"
	"strings"

	"groove/internal/groove"
)

func badBodies() []badBody {
	rows := frameRows()
	for _, r := range envelopeRows() {
		// Each stands between two good envelopes, which must not suffer.
		first, last := goodEnvelope(2), goodEnvelope(3)
		rows = append(rows, badBody{name: r.name, why: r.why, body: bodyOf(first, r.body, last), items: []groove.Kind{"", r.kind, ""}})
	}
	return rows
}

// frameRows are bodies that end the connection.
func frameRows() []badBody {
	const malformed = groove.KindFrameMalformed
	good := bodyOf(goodEnvelope(1))
	return []badBody{
		{name: "empty object", why: "no member at all", body: `{}`, kind: malformed},
		{name: "a list", why: "the body is an object", body: `[1]`, kind: malformed},
		{name: "cut off", why: "syntax", body: good[:len(good)-1], kind: malformed},
		{name: "cut off in an envelope", why: "a syntax error anywhere ends the connection", body: bodyOf(`{"id":"`), kind: malformed},
		{name: "two bodies", why: "bytes after the body", body: good + "{}", kind: malformed},
		{name: "trailing comma", why: "syntax", body: spoil(`]}`, `],}`), kind: malformed},
		{name: "trailing comma in list", why: "syntax", body: spoil(`]}`, `,]}`), kind: malformed},
		{name: "comment", why: "syntax", body: spoil(`{"seq"`, `{/**/"seq"`), kind: malformed},
		{name: "control character in text", why: "syntax", body: spoil(`"x"`, "\"\n\""), kind: malformed},
		{name: "bad escape", why: "syntax", body: spoil(`"x"`, `"\x41"`), kind: malformed},
		{name: "bad literal", why: "syntax", body: spoil(`"x"`, `nul`), kind: malformed},
		{name: "leading zero in payload", why: "syntax", body: spoil(`"x"`, `01`), kind: malformed},
		{name: "byte order mark", why: "syntax", body: "\xef\xbb\xbf" + good, kind: malformed},
		{name: "unknown member", why: "strict", body: spoil(`{"seq"`, `{"extra":1,"seq"`), kind: malformed},
		{name: "forbidden member", why: "prototype pollution in readers of another language", body: spoil(`{"seq"`, `{"__proto__":{},"seq"`), kind: malformed},
		{name: "name in other letters", why: "names are compared exactly", body: spoil(`"seq"`, `"Seq"`), kind: malformed},
		{name: "seq twice", why: "two readers may take different ones", body: spoil(`{"seq"`, `{"seq":1,"seq"`), kind: malformed},
		{name: "seq twice by escape", why: "an escaped name is the same name", body: spoil(`{"seq"`, `{"s\u0065q":1,"seq"`), kind: malformed},
		{name: "ack.seq twice", why: "duplicate", body: spoil(`{"seq":0`, `{"seq":0,"seq":0`), kind: malformed},
		{name: "envelopes twice", why: "duplicate", body: spoil(`]}`, `],"envelopes":[]}`), kind: malformed},
		{name: "invalid UTF-8 in prev", why: "the body is UTF-8", body: spoil(`"prev":"A`, "\"prev\":\"\xff"), kind: malformed},
		{name: "seq null", why: "absent members are absent, and this one is required", body: spoil(`"seq":1`, `"seq":null`), kind: malformed},
		{name: "seq as text", why: "type", body: spoil(`"seq":1`, `"seq":"1"`), kind: malformed},
		{name: "seq 1.0", why: "numbers are whole", body: spoil(`"seq":1`, `"seq":1.0`), kind: malformed},
		{name: "seq 1e0", why: "numbers are plain", body: spoil(`"seq":1`, `"seq":1e0`), kind: malformed},
		{name: "seq -0", why: "numbers have no sign", body: spoil(`"seq":1`, `"seq":-0`), kind: malformed},
		{name: "seq over 2^53-1", why: "other readers lose digits", body: spoil(`"seq":1`, `"seq":9007199254740992`), kind: malformed},
		{name: "seq over 64 bits", why: "must not wrap to 1", body: spoil(`"seq":1`, `"seq":18446744073709551617`), kind: malformed},
		{name: "prev padded", why: "base64url without padding", body: spoil(zeroHash+`","ack`, zeroHash+`=","ack`), kind: malformed},
		{name: "prev with unused bits", why: "one hash has one form", body: spoil(`A","ack`, `B","ack`), kind: malformed},
		{name: "prev with a line break", why: "the decoder would skip it", body: spoil(`A","ack`, `\n","ack`), kind: malformed},
		{name: "prev short", why: "32 bytes", body: spoil(`AAAA","ack`, `","ack`), kind: malformed},
		{name: "no ack", why: "always present", body: spoil(`"ack":{"seq":0,"hash":"`+zeroHash+`"},`, ``), kind: malformed},
		{name: "no envelopes", why: "1 to 64", body: bodyOf(), kind: malformed},
		{name: "65 envelopes", why: "1 to 64", body: bodyOf(strings.Split(strings.Repeat(goodEnvelope(1)+"\n", 65), "\n")[:65]...), kind: malformed},
		{name: "envelopes an object", why: "a list", body: strings.Replace(spoil(`[`, `{"a":[`), `]}`, `]}}`, 1), kind: malformed},
		{name: "seq 2 at first", why: "a gap", body: spoil(`"seq":1`, `"seq":2`), kind: groove.KindBadSeq},
		{name: "seq 0", why: "starts at 1", body: spoil(`"seq":1`, `"seq":0`), kind: groove.KindBadSeq},
		{name: "ack of nothing with a hash", why: "a false ack", body: spoil(`"hash":"A`, `"hash":"B`), kind: groove.KindBadSeq},
		{name: "ack of a frame never sent", why: "a false ack", body: spoil(`"seq":0`, `"seq":1`), kind: groove.KindBadSeq},
	}
}

// manyNames is an object's inside with n members.
func manyNames(n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf(`"n%d":1`, i))
	}
	return strings.Join(parts, ",")
}

type envelopeRow struct {
	name, why, body string
	kind            groove.Kind
}

// envelopeRows are envelopes that are refused alone.
func envelopeRows() []envelopeRow {
	var rows []envelopeRow
	add := func(name, why, body string) {
		rows = append(rows, envelopeRow{name: name, why: why, body: body, kind: groove.KindMalformed})
	}
	edit := func(name, why, old, new string) {
		good := goodEnvelope(1)
		if !strings.Contains(good, old) {
			panic("no " + old)
		}
		add(name, why, strings.Replace(good, old, new, 1))
	}
	nested := func(n int) string {
		return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n)
	}
	add("a number for an envelope", "type", `5`)
	add("null for an envelope", "type", `null`)
	add("empty envelope", "members are required", `{}`)
	edit("unknown member", "strict", `{"id"`, `{"extra":{"a":[1]},"id"`)
	edit("forbidden member in the envelope", "prototype pollution", `{"id"`, `{"constructor":1,"id"`)
	edit("forbidden member in the payload", "prototype pollution", `"text":"x"`, `"text":"x","__proto__":{"admin":true}`)
	edit("forbidden member deep in the payload", "at all levels", `"x"`, `[{"b":{"prototype":1}}]`)
	edit("forbidden member by escape", "an escaped name is the same name", `"text":"x"`, `"__pr\u006fto__":1`)
	edit("id twice", "no id can be trusted then", `{"id"`, `{"id":"0198c0de-0000-7000-8000-000000000009","id"`)
	edit("type twice", "duplicate", `"type"`, `"type":"hello","type"`)
	edit("payload name twice", "duplicate", `"text":"x"`, `"text":"x","text":"y"`)
	edit("payload name twice by escape", "duplicate", `"text":"x"`, `"text":"x","te\u0078t":"y"`)
	edit("name twice among many", "duplicates are found in large objects too", `"x"`, `{`+manyNames(40)+`,"n33":1}`)
	edit("agent twice", "duplicate", `"agent":"frontend-1"`, `"agent":"frontend-2","agent":"frontend-1"`)
	edit("depth 11", "the envelope is depth 1, the payload 2", `{"text":"x"}`, nested(10))
	edit("depth 3,000 of lists", "must not grow the stack", `"x"`, strings.Repeat("[", 3000)+strings.Repeat("]", 3000))
	edit("duplicates below the depth", "depth is named first", `"x"`, nested(12))
	edit("invalid UTF-8", "text is UTF-8", `"x"`, "\"\xff\"")
	edit("UTF-8 surrogate", "CESU-8 is no UTF-8", `"x"`, "\"\xed\xa0\x80\"")
	edit("invalid UTF-8 in a name", "text is UTF-8", `"text"`, "\"te\xc3\"")
	edit("lone high surrogate", "no text", `"x"`, `"\ud800"`)
	edit("lone low surrogate", "no text", `"x"`, `"\udc00x"`)
	edit("two high surrogates", "no text", `"x"`, `"\ud800\ud800"`)
	edit("id in capitals", "one id has one form", `-00000000000`, `-AAAAAAAAAAA`)
	edit("id with a dash too many", "all 32 digits are there or none", `000000000001"`, `00000000-001"`)
	edit("id of another version", "UUIDv7", `-7000-`, `-4000-`)
	edit("id of another variant", "RFC 9562", `-8000-00000`, `-c000-00000`)
	edit("id null", "absent, never null", `"id":"0198c0de-0000-7000-8000-000000000001"`, `"id":null`)
	edit("nonce not random", "UUIDv4", `-4000-`, `-7000-`)
	edit("unknown type", "refused by receipt", `"message"`, `"gossip"`)
	edit("type a number", "type", `"message"`, `1`)
	edit("time without milliseconds", "one form", `12:00:00.123Z`, `12:00:00Z`)
	edit("time with an offset", "UTC", `12:00:00.123Z`, `12:00:00.123+00:00`)
	edit("time with a comma", "one form", `00.123Z`, `00,123Z`)
	edit("30 February", "no such day", `2026-04-12`, `2026-02-30`)
	edit("second 60", "one form", `12:00:00`, `12:00:60`)
	edit("job in capitals", "one form", `"job":"a`, `"job":"A`)
	edit("job with unused bits", "one form", `aa","from"`, `ab","from"`)
	edit("no job", "required", `"job"`, `"jop"`)
	edit("daemon short", "52 characters", `"from":{"daemon":"`, `"from":{"daemon":"a","x":"`)
	edit("from as text", "type", `"from":{`, `"from":"me","extra":{`)
	edit("unknown member in from", "strict", `"frontend-1"`, `"frontend-1","role":"x"`)
	edit("agent in capitals", "agent names", `frontend-1`, `Frontend-1`)
	edit("agent empty", "absent members are absent", `frontend-1`, ``)
	edit("agent missing", "a message names both", `,"agent":"backend-3"`, ``)
	edit("agent surplus", "a heartbeat names none", `"message"`, `"heartbeat"`)
	edit("replyTo null", "absent, never null", `"payload"`, `"replyTo":null,"payload"`)
	edit("replyTo zero", "no message has it", `"payload"`, `"replyTo":"00000000-0000-0000-0000-000000000000","payload"`)
	edit("expires zero", "means none", `"payload"`, `"expires":"0001-01-01T00:00:00.000Z","payload"`)
	edit("payload missing", "required", `"payload":{"text":"x"}`, `"replyTo":"0198c0de-0000-7000-8000-000000000009"`)
	edit("payload a list", "an object", `{"text":"x"}`, `[]`)
	edit("payload null", "an object", `{"text":"x"}`, `null`)
	beat := `"type":"heartbeat","nonce"`
	control := strings.NewReplacer(`"type":"message","nonce"`, beat, `,"agent":"frontend-1"`, ``, `,"agent":"backend-3"`, ``).Replace(goodEnvelope(1))
	add("expires on a heartbeat", "stored types only", strings.Replace(control, `"payload"`, `"expires":"2026-04-12T12:00:00.000Z","payload"`, 1))
	add("replyTo on a heartbeat", "control answers none", strings.Replace(control, `"payload"`, `"replyTo":"0198c0de-0000-7000-8000-000000000009","payload"`, 1))
	return rows
}
