package identity

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"syscall"

	"groove/internal/groove"
)

// create makes a key and puts it at path whole or not at all.
func create(dir, path string) (*Identity, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, groove.Wrap("make key", groove.KindInternal, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, groove.Wrap("make key", groove.KindInternal, err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})
	if err := write(dir, path, block); err != nil {
		kind := groove.KindHomeDamaged
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			kind = groove.KindStoreFull
		}
		return nil, groove.Errorf("make key", kind, "%s: %w", path, err).
			WithFix("make room and let the user that runs groove write to " + dir)
	}
	return of(key), nil
}

func write(dir, path string, content []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, keyFile+".*") // 0600 by its contract
	if err != nil {
		return err
	}
	if err := fill(temp, content); err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return syncDir(dir)
}

func fill(f *os.File, content []byte) error {
	_, err := f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes the rename itself durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
