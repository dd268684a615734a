package schema_test

import (
	"strings"

	"groove/internal/groove"
)

// edits spoil a good payload of a type, each in one way.
type edits struct {
	t    groove.Type
	good string
	rows []badRow
}

func (e *edits) edit(why, path, old, new string) {
	if !strings.Contains(e.good, old) {
		panic(string(e.t) + ": no " + old)
	}
	e.whole(why, path, strings.Replace(e.good, old, new, 1))
}

func (e *edits) whole(why, path, payload string) {
	e.rows = append(e.rows, badRow{t: e.t, why: why, payload: payload, path: path})
}

func badRows() (rows []badRow) {
	for _, make := range []func() []badRow{anyRows, messageRows, helloRows, contractRows, cardRows, registryRows, receiptRows, jobRows, controlRows} {
		rows = append(rows, make()...)
	}
	return rows
}

// anyRows are wrong for every type.
func anyRows() []badRow {
	var rows []badRow
	for t := range valid() {
		for _, r := range [][2]string{{"null", "absent, never null"}, {"[]", "an object"}, {`"x"`, "an object"}, {"5", "an object"}, {"", "nothing"},
			{"{", "cut off"}, {`{"a":1,"a":1}`, "a name twice"}, {"{\"a\":\"\xff\"}", "not UTF-8"}, {`{"a":"\ud800"}`, "a lone surrogate"}} {
			rows = append(rows, badRow{t: t, why: r[1] + ": " + r[0], payload: r[0], path: "/"})
		}
	}
	for i, r := range rows {
		if r.payload == "{\"a\":\"\xff\"}" || r.payload == `{"a":"\ud800"}` || r.payload == `{"a":1,"a":1}` {
			rows[i].path = "/a"
		}
	}
	return rows
}

func messageRows() []badRow {
	e := edits{t: groove.TypeMessage, good: `{"text":"hi","attachments":[{"name":"a.md","mediaType":"text/plain","text":"x"}]}`}
	e.whole("two payloads", "/", `{"text":"a"} {"text":"b"}`)
	e.whole("bytes after it", "/", `{"text":"a"},`)
	e.whole("text is required", "/text", `{}`)
	e.whole("1 byte at least", "/text", `{"text":""}`)
	e.edit("a string", "/text", `"hi"`, `5`)
	e.edit("never null", "/text", `"hi"`, `null`)
	e.edit("unknown members are refused", "/html", `{"text":"hi"`, `{"text":"hi","html":"x"`)
	e.edit("names are compared exactly", "/Text", `"text":"hi"`, `"Text":"hi"`)
	e.edit("a name twice", "/text", `"hi"`, `"hi","text":"ho"`)
	e.edit("a name twice by escape", "/text", `"hi"`, `"hi","t\u0065xt":"ho"`)
	e.edit("never null", "/attachments", `[{"name":"a.md","mediaType":"text/plain","text":"x"}]`, `null`)
	e.edit("a list", "/attachments", `[{"name":"a.md","mediaType":"text/plain","text":"x"}]`, `{}`)
	e.edit("a way out of the folder", "/attachments/0/name", `a.md`, `../a.md`)
	e.edit("a control character", "/attachments/0/name", `a.md`, `a\u0007.md`)
	e.edit("a name", "/attachments/0/name", `a.md`, ``)
	e.edit("129 bytes", "/attachments/0/name", `a.md`, strings.Repeat("n", 129))
	e.edit("required", "/attachments/0/mediaType", `"mediaType":"text/plain",`, ``)
	e.edit("a media type", "/attachments/0/mediaType", `text/plain`, `text`)
	e.edit("header injection", "/attachments/0/mediaType", `text/plain`, `text/plain;\r\nx`)
	e.edit("unknown", "/attachments/0/data", `"name"`, `"data":"x","name"`)
	e.edit("17 attachments", "/attachments", `[{`, `[`+strings.Repeat(`{"name":"a","mediaType":"a/b","text":"x"},`, 16)+`{`)
	e.whole("cut off inside the quick form", "/text", `{"text":"abc\"}`)
	e.whole("a control character in the quick form", "/text", "{\"text\":\"a\nb\"}")
	e.whole("a bare quote in the quick form", "/", `{"text":"a"b"}`)
	e.whole("not UTF-8 in the quick form", "/text", "{\"text\":\"\xc3\"}")
	e.whole("a lone surrogate in the quick form", "/text", `{"text":"\udc00"}`)
	e.whole("two members in the quick form", "/x", `{"text":"a","x":"b"}`)
	e.whole("text twice in the quick form", "/text", `{"text":"a","text":"b"}`)
	return e.rows
}

func helloRows() []badRow {
	e := edits{t: groove.TypeHello, good: hello()}
	e.edit("required", "/receiptsSeen", `"receiptsSeen":41,`, ``)
	e.edit("required", "/time", `"time":"`+moment+`",`, ``)
	e.edit("unknown names only inside ext", "/extra", `{"versions"`, `{"extra":{},"versions"`)
	e.edit("one version at least", "/versions", `["1.0"]`, `[]`)
	e.edit("a version", "/versions/0", `"1.0"`, `"one"`)
	e.edit("17 versions", "/versions", `["1.0"]`, `["1.0"`+strings.Repeat(`,"1.0"`, 16)+`]`)
	e.edit("a label", "/name", `laptop`, ``)
	e.edit("65 bytes", "/name", `laptop`, strings.Repeat("l", 65))
	e.edit("a bidi character", "/name", `laptop`, `lap\u202etop`)
	e.edit("a line break", "/name", `laptop`, `lap\ntop`)
	e.edit("not NFC: two names that look alike", "/name", `laptop`, `lapto\u0301p`)
	e.edit("a label", "/software", `groove/0.1.0`, `a\u0000`)
	e.edit("16 bytes", "/instance", bytes22, bytes22[:21])
	e.edit("padding", "/instance", bytes22, bytes22+"==")
	e.edit("unused bits", "/instance", bytes22, bytes22[:21]+"B")
	e.edit("a line break that the decoder skips", "/random", hash43, hash43[:41]+`\n`+"A")
	e.edit("a line break behind it", "/random", hash43, hash43+`\n`)
	e.edit("standard base64", "/random", hash43, "+/"+hash43[2:])
	e.edit("a time", "/time", moment, "2026-04-12T20:30:00Z")
	e.edit("a time with a comma", "/time", moment, "2026-04-12T20:30:00,000Z")
	e.edit("whole", "/receiptsSeen", `41`, `41.0`)
	e.edit("not below 0", "/receiptsSeen", `41`, `-1`)
	e.edit("plain", "/receiptsSeen", `41`, `4e1`)
	e.edit("2^53", "/receiptsSeen", `41`, `9007199254740992`)
	e.edit("over 64 bits", "/receiptsSeen", `41`, `18446744073709551616`)
	e.edit("a number", "/receiptsSeen", `41`, `"41"`)
	e.edit("required", "/backlog/bytes", `,"bytes":34567`, ``)
	e.edit("never null", "/backlog", `{"messages":12,"bytes":34567}`, `null`)
	e.edit("frames are counted from 1", "/last/seq", `"seq":12`, `"seq":0`)
	e.edit("a hash", "/last/hash", other43, `x`)
	e.edit("an object", "/ext", `"ext":{"new":[null,1.5,{"a":null}]}`, `"ext":[]`)
	e.edit("never null", "/ext", `"ext":{"new":[null,1.5,{"a":null}]}`, `"ext":null`)
	e.edit("33 cards", "/agents", `[`+card, `[`+strings.Repeat(card+",", 32)+card)
	e.edit("a bad card", "/agents/0/status", `"status":"running"`, `"status":"dancing"`)
	e.edit("the contract's hash is missing", "/contractHash", `,"contractHash"`, `,"contractHas"`)
	e.rows[len(e.rows)-1].path = "/contractHas"
	e.edit("another contract's hash", "/contractHash", `"agree"`, `"agreed"`)
	e.edit("a bad contract", "/contract/mode", `"ambassador"`, `"boss"`)
	e.edit("unknown in the contract", "/contract/extra", `{"opener"`, `{"extra":1,"opener"`)
	peerLeg := valid()[groove.TypeHello][1]
	e.whole("agents on the peer leg", "/agents", strings.Replace(peerLeg, `"receiptsSeen"`, `"agents":[`+card+`],"receiptsSeen"`, 1))
	e.whole("a contract without its hash", "/contractHash", strings.Replace(peerLeg, `"receiptsSeen"`, `"contract":`+contract+`,"receiptsSeen"`, 1))
	e.whole("an empty hash", "/contractHash", strings.Replace(peerLeg, `"receiptsSeen"`, `"contractHash":"","receiptsSeen"`, 1))
	return e.rows
}

// contractRows go through a hello, whose hash is compared last.
func contractRows() []badRow {
	e := edits{t: groove.TypeHello, good: hello()}
	c := "/contract/"
	e.edit("a daemon ID", c+"opener", `"opener":"`+daemonA, `"opener":"A`+daemonA[1:])
	e.edit("unused bits", c+"peer", `"peer":"`+daemonB, `"peer":"`+daemonB[:51]+`b`)
	e.edit("two daemons", c+"peer", daemonB, daemonA)
	e.edit("a daemon ID", c+"arbiter", `"arbiter":"`+daemonA, `"arbiter":"me`)
	e.edit("121 bytes", c+"title", `Shop API`, strings.Repeat("t", 121))
	e.edit("4,097 bytes", c+"goal", `"agree"`, `"`+strings.Repeat("g", 4097)+`"`)
	for _, m := range []string{"mode", "record", "goal", "keepAlive", "rate", "ttl", "idle", "arbiter", "paths", "coordinate", "types", "created"} {
		e.edit("defaults are written out", c+m, `,"`+m+`":`, `,"x`+m+`":`)
		e.rows[len(e.rows)-1].path = c + "x" + m
	}
	e.edit("a default left out", c+"keepAlive", `"keepAlive":false,`, ``)
	e.edit("a default left out", c+"coordinate", `"coordinate":[],`, ``)
	e.edit("one agent at least", c+"openerAgents", `["frontend-1"]`, `[]`)
	e.edit("33 agents", c+"peerAgents", `["backend-3"]`, `["b"`+strings.Repeat(`,"b"`, 32)+`]`)
	e.edit("an agent twice", c+"peerAgents", `["backend-3"]`, `["b","b"]`)
	e.edit("an agent name", c+"peerAgents/0", `["backend-3"]`, `["Backend"]`)
	e.edit("an agent name of 64", c+"peerAgents/0", `["backend-3"]`, `["`+strings.Repeat("b", 64)+`"]`)
	e.edit("an unknown type", c+"types/1", `"agent.status"`, `"gossip"`)
	e.edit("a control type is not the contract's to allow", c+"types/1", `"agent.status"`, `"hello"`)
	e.edit("a type twice", c+"types", `"agent.status"`, `"message"`)
	e.edit("an unknown family", c+"coordinate/0", `"coordinate":[]`, `"coordinate":["war"]`)
	e.edit("a commit", c+"project/root", `0123456789abcdef0123456789abcdef01234567`, `main`)
	e.edit("a commit in capitals", c+"project/root", `0123456789abcdef`, `0123456789ABCDEF`)
	e.edit("a name or a root", c+"project/name", `{"root"`, `{"name":"shop","root"`)
	e.edit("neither", c+"project/root", `{"root":"0123456789abcdef0123456789abcdef01234567","subpath":"api"}`, `{}`)
	e.edit("a way out", c+"project/subpath", `"subpath":"api"`, `"subpath":"../api"`)
	e.edit("absolute", c+"paths/0", `api/**`, `/etc/**`)
	e.edit("a way out", c+"paths/0", `api/**`, `api/../../**`)
	e.edit("no glob", c+"paths/0", `api/**`, `api/[`)
	e.edit("201 bytes", c+"paths/0", `api/**`, strings.Repeat("p", 201))
	e.edit("65 globs", c+"paths", `["api/**"]`, `["a"`+strings.Repeat(`,"a"`, 64)+`]`)
	e.edit("at least a second", c+"ttl", `7200`, `0`)
	e.edit("24 h at most", c+"ttl", `7200`, `86401`)
	e.edit("a minute at least", c+"idle", `900`, `59`)
	e.edit("true or false", c+"keepAlive", `false`, `"no"`)
	e.edit("bounds nothing", c+"budget", `{"messages":10}`, `{}`)
	e.edit("a list", c+"record", `"digest"`, `"none"`)
	return e.rows
}

func cardRows() []badRow {
	e := edits{t: groove.TypeStatus, good: card}
	for _, m := range []string{"agent", "rev", "status", "since"} {
		e.edit("required", "/x"+m, `"`+m+`":`, `"x`+m+`":`)
	}
	e.edit("an agent name", "/agent", `backend-3`, `-backend`)
	e.edit("a status", "/status", `running`, `Running`)
	e.edit("absent, not empty", "/title", `"Backend"`, `""`)
	e.edit("absent, not empty", "/role", `"role":"backend"`, `"role":""`)
	e.edit("121 bytes", "/title", `"Backend"`, `"`+strings.Repeat("t", 121)+`"`)
	e.edit("65 bytes", "/role", `"role":"backend"`, `"role":"`+strings.Repeat("r", 65)+`"`)
	e.edit("a line break", "/program", `opencode`, `open\ncode`)
	e.edit("201 bytes", "/activity", `writes`, strings.Repeat("a", 201))
	e.edit("1,001 bytes", "/summary", `"summary":""`, `"summary":"`+strings.Repeat("s", 1001)+`"`)
	e.edit("21 globs", "/scope", `["packages/api/**"]`, `["a"`+strings.Repeat(`,"a"`, 20)+`]`)
	e.edit("a glob", "/scope/0", `packages/api/**`, `packages//api`)
	e.edit("a time", "/since", moment, `yesterday`)
	return e.rows
}

func registryRows() []badRow {
	e := edits{t: groove.TypeRegistry, good: `{"op":"page","digest":"` + hash43 + `","agents":[` + card + `],"next":"backend-3"}`}
	e.edit("an op", "/op", `"page"`, `"put"`)
	e.edit("a page has a digest", "/digest", `"digest":"`+hash43+`",`, ``)
	e.edit("a page has agents", "/agents", `"agents":[`+card+`],`, ``)
	e.edit("same has no agents", "/agents", `"page"`, `"same"`)
	e.edit("get has no digest", "/digest", `"page"`, `"get"`)
	e.edit("have goes with get", "/op", `"digest"`, `"have":"`+other43+`","digest"`)
	e.edit("a hash", "/digest", hash43, `x`)
	e.edit("an agent name", "/next", `"next":"backend-3"`, `"next":"B"`)
	e.edit("each agent once", "/agents", `[`+card, `[`+card+`,`+card)
	e.edit("a bad card", "/agents/0/rev", `17`, `1.7`)
	e.whole("over 384 KiB", "/", `{"op":"get"`+strings.Repeat(" ", 384<<10)+`}`)
	e.whole("after goes with get", "/op", `{"op":"same","digest":"`+hash43+`","after":"a"}`)
	e.whole("next goes with page", "/next", `{"op":"same","digest":"`+hash43+`","next":"a"}`)
	return e.rows
}

func receiptRows() []badRow {
	one := `{"n":1,"id":"` + id1 + `","state":"stored"}`
	e := edits{t: groove.TypeReceipt, good: `{"receipts":[` + one + `]}`}
	r := "/receipts/0/"
	instead := func(why, path, receipt string) { e.whole(why, path, `{"receipts":[`+receipt+`]}`) }
	e.whole("one at least", "/receipts", `{"receipts":[]}`)
	e.whole("1,025", "/receipts", `{"receipts":[`+strings.Repeat(one+",", 1024)+one+`]}`)
	e.edit("required", r+"state", `,"state":"stored"`, ``)
	e.edit("a state", r+"state", `stored`, `lost`)
	e.edit("an id or at", r+"id", `"id":"`+id1+`",`, ``)
	e.edit("an id", r+"id", id1, `x`)
	e.edit("one form", r+"id", `0198c0de`, `0198C0DE`)
	e.edit("a UUIDv7", r+"id", `-7000-`, `-4000-`)
	e.edit("absent, not empty", r+"id", id1, ``)
	e.edit("kept changes have n", r+"n", `"n":1,`, ``)
	e.edit("n begins at 1", r+"n", `"n":1,`, `"n":0,`)
	e.edit("a kind goes with refused", r+"kind", `"stored"`, `"stored","kind":"expired"`)
	e.edit("by goes with answered", r+"by", `"stored"`, `"stored","by":"`+id2+`"`)
	e.edit("answered names the answer", r+"by", `"stored"`, `"answered"`)
	e.edit("the answer is a message", r+"by", `"stored"`, `"answered","by":"x"`)
	e.edit("refused has a kind", r+"kind", `"stored"`, `"refused"`)
	e.edit("an unknown kind", r+"kind", `"stored"`, `"refused","kind":"mood.bad"`)
	e.edit("a connection's kind", r+"kind", `"stored"`, `"refused","kind":"frame.badSeq"`)
	e.edit("a local kind", r+"kind", `"stored"`, `"refused","kind":"internal"`)
	e.edit("a retryable refusal is not kept", r+"n", `"stored"`, `"refused","kind":"store.full"`)
	e.edit("a final refusal is not tried again", r+"retryAfter", `"stored"`, `"refused","kind":"expired","retryAfter":5`)
	e.edit("the clocks go with clockSkew", r+"clock", `"stored"`, `"refused","kind":"expired","clock":{"here":"`+moment+`","there":"`+moment+`"}`)
	instead("clockSkew has the clocks", r+"clock", `{"id":"`+id1+`","state":"refused","kind":"clockSkew"}`)
	instead("an id or at, not both", r+"id", `{"id":"`+id1+`","at":{"seq":1,"index":0},"state":"refused","kind":"expired"}`)
	instead("only a refusal names a place", r+"at", `{"n":1,"at":{"seq":1,"index":0},"state":"stored"}`)
	instead("a place has no n", r+"n", `{"n":1,"at":{"seq":1,"index":0},"state":"refused","kind":"expired"}`)
	instead("frames are counted from 1", r+"at/seq", `{"at":{"seq":0,"index":0},"state":"refused","kind":"expired"}`)
	instead("64 envelopes", r+"at/index", `{"at":{"seq":1,"index":64},"state":"refused","kind":"expired"}`)
	instead("required", r+"at/index", `{"at":{"seq":1},"state":"refused","kind":"expired"}`)
	e.whole("the second is bad", "/receipts/1/state", `{"receipts":[`+one+`,`+strings.Replace(one, "stored", "x", 1)+`]}`)
	return e.rows
}

func jobRows() []badRow {
	e := edits{t: groove.TypeJobUpdate}
	e.whole("required", "/action", `{}`)
	e.whole("an action", "/action", `{"action":"dance"}`)
	e.whole("accept says when", "/openedAt", `{"action":"accept"}`)
	e.whole("accept says no more", "/reason", `{"action":"accept","openedAt":"`+moment+`","reason":"user"}`)
	e.whole("pending says until when", "/until", `{"action":"pending"}`)
	e.whole("deny says why", "/kind", `{"action":"deny"}`)
	e.whole("deny of an unknown kind", "/kind", `{"action":"deny","kind":"mood.bad"}`)
	e.whole("201 bytes", "/text", `{"action":"deny","kind":"expired","text":"`+strings.Repeat("t", 201)+`"}`)
	e.whole("pause says why", "/reason", `{"action":"pause"}`)
	e.whole("a reason to pause", "/reason", `{"action":"pause","reason":"lunch"}`)
	e.whole("resume says nothing", "/until", `{"action":"resume","until":"`+moment+`"}`)
	e.whole("extend says until when", "/ttlAt", `{"action":"extend","answer":"yes"}`)
	e.whole("yes or no", "/answer", `{"action":"extend","ttlAt":"`+moment+`","answer":"maybe"}`)
	e.whole("asked is absent", "/answer", `{"action":"extend","ttlAt":"`+moment+`","answer":""}`)
	e.whole("end says why", "/reason", `{"action":"end"}`)
	e.whole("idle rests a leg, it does not end it", "/reason", `{"action":"end","reason":"idle"}`)
	e.whole("1,001 bytes", "/summary", `{"action":"end","reason":"ttl","summary":"`+strings.Repeat("s", 1001)+`"}`)
	return e.rows
}

func controlRows() []badRow {
	bye := edits{t: groove.TypeGoodbye, good: valid()[groove.TypeGoodbye][1]}
	bye.whole("required", "/reason", `{}`)
	bye.edit("a reason", "/reason", `manual`, `bored`)
	bye.edit("201 bytes", "/text", `bye`, strings.Repeat("b", 201))
	bye.edit("required", "/audit/n", `"n":5000,`, ``)
	bye.edit("64 bytes", "/audit/sig", sig86, hash43)

	beat := edits{t: groove.TypeHeartbeat, good: valid()[groove.TypeHeartbeat][1]}
	beat.whole("required", "/time", `{"echo":"`+moment+`"}`)
	beat.edit("never null", "/echo", `"echo":"`+moment+`"`, `"echo":null`)
	beat.edit("32 bytes", "/audit/hash", `"hash":"`+hash43, `"hash":"`+bytes22)

	fault := edits{t: groove.TypeError, good: valid()[groove.TypeError][1]}
	fault.edit("required", "/text", `"text":"x",`, ``)
	fault.edit("a kind", "/kind", `payload.invalid`, `mood.bad`)
	fault.edit("a local kind", "/kind", `payload.invalid`, `port.taken`)
	fault.edit("201 bytes", "/text", `"text":"x"`, `"text":"`+strings.Repeat("x", 201)+`"`)
	fault.edit("frames are counted from 1", "/at/seq", `"seq":1`, `"seq":0`)

	key := edits{t: groove.TypeKeyRotate, good: valid()[groove.TypeKeyRotate][0]}
	key.edit("a key", "/old", hash43, bytes22)
	key.edit("another key", "/new", other43, hash43)
	key.edit("a signature", "/sigNew", `"sigNew":"`+sig86, `"sigNew":"`+sig86[:85]+`B`)
	key.edit("required", "/at", `"at":"`+moment+`",`, ``)
	rows := append(bye.rows, beat.rows...)
	return append(append(rows, fault.rows...), key.rows...)
}
