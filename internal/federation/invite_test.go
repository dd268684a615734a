package federation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"groove/internal/federation"
	"groove/internal/groove"

	"pgregory.net/rapid"
)

const (
	goodID     = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	goodInvite = `{"v":1,"addresses":["100.64.0.2:31416"],"id":"` + goodID + `","secret":"AAAAAAAAAAAAAAAAAAAAAA","expires":"2026-04-12T20:30:00.000Z"}`
)

func lineOf(text string) string { return "groove1:" + groove.B64.EncodeToString([]byte(text)) }

func TestParseInvite(t *testing.T) {
	with := func(old, new string) string { return lineOf(strings.Replace(goodInvite, old, new, 1)) }
	many := strings.Repeat(`"10.0.0.1:1",`, 8)
	rows := []struct {
		why, line string
		ok        bool
	}{
		{"the form of the protocol", lineOf(goodInvite), true},
		{"an IPv6 address and a host name", with(`"100.64.0.2:31416"`, `"[2001:db8::1]:31416","vps.example:31416"`), true},
		{"no prefix", strings.TrimPrefix(lineOf(goodInvite), "groove1:"), false},
		{"another version of the prefix", "groove2:" + strings.TrimPrefix(lineOf(goodInvite), "groove1:"), false},
		{"space around it", lineOf(goodInvite) + "\n", false},
		{"a line end inside, which the decoder would skip", lineOf(goodInvite)[:40] + "\n" + lineOf(goodInvite)[40:], false},
		{"padding", lineOf(goodInvite+" ") + "=", false},
		{"over 1 KiB", with(`"100.64.0.2:31416"`, `"`+strings.Repeat("a", 63)+"."+strings.Repeat("b", 63)+":1\""+strings.Repeat(`,"`+strings.Repeat("c", 63)+`.`+strings.Repeat("d", 63)+`:1"`, 7)), false},
		{"an unknown member", with("{", `{"key":"x",`), false},
		{"a duplicate name", with("{", `{"v":1,`), false},
		{"a missing member", with(`"v":1,`, ""), false},
		{"a null", with(`"v":1`, `"v":null`), false},
		{"another version", with(`"v":1`, `"v":2`), false},
		{"a member in other case", with(`"id"`, `"ID"`), false},
		{"no address", with(`"100.64.0.2:31416"`, ""), false},
		{"nine addresses", with(`"100.64.0.2:31416"`, many+`"10.0.0.1:1"`), false},
		{"an address without port", with(":31416", ""), false},
		{"port 0", with(":31416", ":0"), false},
		{"a port in other words", with(":31416", ":031416"), false},
		{"a wildcard", with("100.64.0.2", "0.0.0.0"), false},
		{"a host name with a space", with("100.64.0.2", "a b"), false},
		{"a short ID", with(goodID, goodID[1:]), false},
		{"an ID with unused bits set", with(goodID, goodID[:51]+"b"), false},
		{"a short secret", with("AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA"), false},
		{"a secret with unused bits set", with("AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB"), false},
		{"a time of another form", with(".000Z", "Z"), false},
		{"something after it", lineOf(goodInvite + "{}"), false},
	}
	for _, row := range rows {
		inv, err := federation.ParseInvite(row.line)
		if row.ok != (err == nil) {
			t.Errorf("%s: %v", row.why, err)
		}
		if err != nil && groove.KindOf(err) != groove.KindPairMalformed {
			t.Errorf("%s: kind %q", row.why, groove.KindOf(err))
		}
		if err != nil && strings.Contains(fmt.Sprint(err, groove.AsError(err).Fix), "AAAAAAAA") {
			t.Errorf("%s: the error holds the secret", row.why)
		}
		if row.ok && inv.ID != goodID {
			t.Errorf("%s: %+v", row.why, inv)
		}
	}
}

// sameInvite states what both directions must keep.
func sameInvite(a, b federation.Invite) bool {
	return a.ID == b.ID && a.Secret == b.Secret && a.Expires.Equal(b.Expires) && slices.Equal(a.Addresses, b.Addresses)
}

func TestInviteRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inv := federation.Invite{ID: groove.IDOf(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key")),
			Expires: time.UnixMilli(rapid.Int64Range(0, 1<<41).Draw(t, "expires")).UTC()}
		copy(inv.Secret[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "secret"))
		for range rapid.IntRange(1, 8).Draw(t, "addresses") {
			inv.Addresses = append(inv.Addresses, fmt.Sprintf("10.%d.0.1:%d", rapid.Byte().Draw(t, "ip"), rapid.IntRange(1, 65535).Draw(t, "port")))
		}
		line, err := inv.Line()
		if err != nil {
			t.Fatal(err)
		}
		back, err := federation.ParseInvite(line)
		if err != nil || !sameInvite(inv, back) {
			t.Fatalf("%+v became %+v, %v", inv, back, err)
		}
	})
}

// FuzzInvite: whatever parses can be written again, within the bounds, and says the same.
func FuzzInvite(f *testing.F) {
	f.Fuzz(func(t *testing.T, line string) {
		inv, err := federation.ParseInvite(line)
		if err != nil {
			return
		}
		if len(line) > 1024 || !inv.ID.Valid() || len(inv.Addresses) < 1 || len(inv.Addresses) > 8 {
			t.Fatalf("admitted %+v", inv)
		}
		again, err := inv.Line()
		if err != nil {
			t.Skip("escapes may make another writer's line shorter than ours")
		}
		back, err := federation.ParseInvite(again)
		if err != nil || !sameInvite(inv, back) {
			t.Fatalf("%q became %+v, %v", line, back, err)
		}
	})
}

// FuzzPairMessage: no bytes of a peer do more than be refused, and nothing over the
// limit is looked at.
func FuzzPairMessage(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		who, err := federation.DecodeMessage(data)
		if err != nil {
			if groove.KindOf(err) != groove.KindPairMalformed {
				t.Fatalf("kind %q", groove.KindOf(err))
			}
			return
		}
		if len(data) > 8<<10 {
			t.Fatal("a message over 8 KiB was read")
		}
		if len(who) > 0 && (who[0] != '{' || who[len(who)-1] != '}' || !strings.Contains(string(data), string(who))) {
			t.Fatalf("who is %q, not a part of the message", who)
		}
	})
}

// TestSeeds: a fuzz target without seeds would pass and test nothing.
func TestSeeds(t *testing.T) {
	for target, valid := range map[string]func([]byte) bool{
		"FuzzInvite":      func(b []byte) bool { _, err := federation.ParseInvite(string(b)); return err == nil },
		"FuzzPairMessage": func(b []byte) bool { _, err := federation.DecodeMessage(b); return err == nil },
	} {
		good, bad := 0, 0
		for _, seed := range seeds(t, target) {
			if valid(seed) {
				good++
			} else {
				bad++
			}
		}
		if good == 0 || bad == 0 {
			t.Errorf("%s has %d good seeds and %d bad ones", target, good, bad)
		}
	}
}
