package identity_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"groove/internal/groove"
	"groove/internal/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFirstStartMakesAKeyThatStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home", "identity")
	first, err := identity.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := identity.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !first.Key.Equal(again.Key) || first.ID != again.ID || first.ID != groove.IDOf(first.Public) || !first.ID.Valid() {
		t.Errorf("second start: ID %s, first %s", again.ID, first.ID)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "ed25519.key"): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: permissions %04o, want %04o", path, got, want)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("identity holds %d files (%v), want the key alone", len(entries), err)
	}
}

func TestDamagedKeyIsNamedAndLeftAlone(t *testing.T) {
	good := pemOf(t, ed25519Key(t))
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		why     string
		content []byte
		mode    os.FileMode
	}{
		{"empty: a file made and never written", nil, 0o600},
		{"truncated: half a write of another program", good[:len(good)/2], 0o600},
		{"no PEM", []byte("hunter2\n"), 0o600},
		{"PEM of another type", bytes.ReplaceAll(good, []byte("PRIVATE KEY"), []byte("CERTIFICATE")), 0o600},
		{"PEM whose inside is no key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("junk")}), 0o600},
		{"another key type", pemOf(t, ec), 0o600},
		{"two keys: which one is meant", append(bytes.Clone(good), good...), 0o600},
		{"a key and then more than any key file holds", append(bytes.Clone(good), bytes.Repeat([]byte("\n"), 5000)...), 0o600},
		{"readable by the group", good, 0o640},
		{"readable by all", good, 0o604},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "ed25519.key")
			if err := os.WriteFile(path, row.content, row.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, row.mode); err != nil { // past the umask
				t.Fatal(err)
			}
			refused(t, dir, path)
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(after, row.content) {
				t.Errorf("the file was touched (%v)", err)
			}
		})
	}
}

func TestKeyThatIsNoFileIsRefused(t *testing.T) {
	for why, make := range map[string]func(path string) error{
		"a directory":                      func(path string) error { return os.Mkdir(path, 0o700) },
		"a pipe, which would hang a start": func(path string) error { return syscall.Mkfifo(path, 0o600) },
	} {
		t.Run(why, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "ed25519.key")
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			refused(t, dir, path)
		})
	}
}

func TestHomeThatIsAFileIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "identity")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.Load(dir); groove.KindOf(err) != groove.KindHomeDamaged {
		t.Errorf("got %v, want kind %s", err, groove.KindHomeDamaged)
	}
}

func TestCertificateIsOverTheKey(t *testing.T) {
	id, err := identity.Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := id.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	if len(cert.Certificate) != 1 {
		t.Fatalf("%d certificates, want one", len(cert.Certificate))
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if key, ok := leaf.PublicKey.(ed25519.PublicKey); !ok || !key.Equal(id.Public) {
		t.Errorf("certificate over %v, want the daemon's key", leaf.PublicKey)
	}
	if err := leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature); err != nil {
		t.Errorf("not self-signed: %v", err)
	}
}

func TestInstancesDiffer(t *testing.T) {
	a, b := identity.NewInstance(), identity.NewInstance()
	if len(a) != 22 || a == b {
		t.Errorf("instances %q and %q, want two of 22 characters", a, b)
	}
	if raw, err := groove.B64.DecodeString(a); err != nil || len(raw) != 16 {
		t.Errorf("instance %q: %d bytes, %v", a, len(raw), err)
	}
}

func refused(t *testing.T, dir, path string) {
	t.Helper()
	_, err := identity.Load(dir)
	var e *groove.Error
	if !errors.As(err, &e) || e.Kind != groove.KindHomeDamaged {
		t.Fatalf("got %v, want kind %s", err, groove.KindHomeDamaged)
	}
	if !strings.Contains(e.Error(), path) || e.Fix == "" {
		t.Errorf("error %q, fix %q: want the file named and a fix", e, e.Fix)
	}
}

func ed25519Key(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pemOf(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
