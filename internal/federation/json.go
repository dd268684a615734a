package federation

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"groove/internal/groove"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/unicode/norm"
)

// maxLabel is the limit of daemon names, in bytes (docs/protocol.md §11).
const maxLabel = 64

// maxAddresses is how many addresses an invite, a peer or a greeting may name.
const maxAddresses = 8

// object is one decoded JSON object, member by member, its values as sent.
type object map[string]jsontext.Value

// decodeObject reads one strict JSON object: no duplicate names, valid UTF-8, no
// null, nothing after it. It fails with kind.
func decodeObject(kind groove.Kind, data []byte) (object, error) {
	var o object
	if err := json.Unmarshal(data, &o); err != nil || o == nil {
		return nil, groove.Errorf("decode", kind, "not one strict JSON object")
	}
	for name, value := range o {
		if value.Kind() == 'n' {
			return nil, groove.Errorf("decode", kind, "member %.40q is null", name)
		}
	}
	return o, nil
}

// exactly refuses an object whose members are not these.
func (o object) exactly(kind groove.Kind, names ...string) error {
	for _, name := range names {
		if _, ok := o[name]; !ok {
			return groove.Errorf("decode", kind, "member %q is missing", name)
		}
	}
	for name := range o {
		if !slices.Contains(names, name) {
			return groove.Errorf("decode", kind, "unknown member %.40q", name)
		}
	}
	return nil
}

// strict decodes data into out and refuses members that out does not have.
func strict(kind groove.Kind, data []byte, out any) error {
	if err := json.Unmarshal(data, out, json.RejectUnknownMembers(true)); err != nil {
		return groove.Errorf("decode", kind, "a member has the wrong shape")
	}
	return nil
}

// decodeB64 reads exactly size bytes of base64url. The standard decoder skips
// line ends, hence the check of the length as written.
func decodeB64(s string, size int) ([]byte, bool) {
	if len(s) != groove.B64.EncodedLen(size) {
		return nil, false
	}
	raw, err := groove.B64.DecodeString(s)
	return raw, err == nil && len(raw) == size
}

// checkName refuses what is not a label in NFC. It fails with KindInvalid.
func checkName(name string) error {
	if err := groove.CheckLabel("name", name, maxLabel); err != nil {
		return err
	}
	if !norm.NFC.IsNormalString(name) {
		return groove.Errorf("check label", groove.KindInvalid, "name is not in the normal form NFC")
	}
	return nil
}

// checkAddresses refuses what is not least to maxAddresses times host:port.
func checkAddresses(addresses []string, least int) error {
	if len(addresses) < least || len(addresses) > maxAddresses {
		return groove.Errorf("check addresses", groove.KindInvalid, "%d addresses, there may be %d to %d", len(addresses), least, maxAddresses)
	}
	for _, a := range addresses {
		if err := checkAddress(a); err != nil {
			return err
		}
	}
	return nil
}

func checkAddress(a string) error {
	host, port, err := net.SplitHostPort(a)
	if err != nil {
		return groove.Errorf("check addresses", groove.KindInvalid, "%.80q is not host:port", a)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return groove.Errorf("check addresses", groove.KindInvalid, "%.80q has no port of 1 to 65535", a)
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" {
			return groove.Errorf("check addresses", groove.KindInvalid, "%.80q is no address of one machine", a)
		}
		return nil
	}
	if !isHostName(host) {
		return groove.Errorf("check addresses", groove.KindInvalid, "%.80q has neither an IP nor a host name", a)
	}
	return nil
}

func isHostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
	}
	return true
}
