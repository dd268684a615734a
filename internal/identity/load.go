package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"groove/internal/groove"
)

const (
	keyFile = "ed25519.key"
	pemType = "PRIVATE KEY" // PKCS#8, RFC 5958
	// maxKeyFile is far over the 119 bytes of a real one, and keeps a start
	// from reading a log that somebody moved there.
	maxKeyFile = 4096
)

// Load reads dir/ed25519.key (PKCS#8 in PEM), or makes it at the first start:
// dir 0700, file 0600, on disk before Load returns.
//
// It fails with KindHomeDamaged for a file that is damaged, no regular file, of
// another key type or open to others, and names the file and the fix; such a
// file is left as it is. KindStoreFull says that a new key found no room.
func Load(dir string) (*Identity, error) {
	path := filepath.Join(dir, keyFile)
	raw, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return create(dir, path)
	}
	if err != nil {
		return nil, err
	}
	key, err := parse(path, raw)
	if err != nil {
		return nil, err
	}
	return of(key), nil
}

func read(path string) ([]byte, error) {
	// Without O_NONBLOCK a named pipe at this place would hold the start for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, damaged(path, "it cannot be read: %v", err).WithFix("give it to the user that runs groove: chown and chmod 600 " + path)
	}
	defer f.Close() // only read from
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, damaged(path, "it cannot be read: %v", err)
	case !info.Mode().IsRegular():
		return nil, damaged(path, "it is no regular file")
	case info.Mode().Perm()&0o077 != 0:
		return nil, damaged(path, "its permissions are %04o, others may use it", info.Mode().Perm()).
			WithFix("chmod 600 " + path + "; if others can have read it, rotate the key")
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, damaged(path, "it cannot be read: %v", err)
	}
	if len(raw) > maxKeyFile {
		return nil, damaged(path, "it is over %d bytes", maxKeyFile)
	}
	return raw, nil
}

// parse takes one PKCS#8 block and nothing beside it.
func parse(path string, raw []byte) (ed25519.PrivateKey, error) {
	block, rest := pem.Decode(raw)
	if block == nil || block.Type != pemType || len(bytes.TrimSpace(rest)) > 0 {
		return nil, damaged(path, "it is not one PEM block of type %s", pemType)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, damaged(path, "it holds no PKCS#8 key") // the cause could quote key bytes
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, damaged(path, "it holds a key of another type than Ed25519")
	}
	return key, nil
}

func damaged(path, format string, args ...any) *groove.Error {
	return groove.Errorf("load identity", groove.KindHomeDamaged, path+": "+format, args...).
		WithFix("put the key back from a backup; or move " + path + " away: the daemon then makes a new key and all peers pair again")
}
