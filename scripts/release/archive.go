package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
)

// extra is a file beside the binary: where it lies in an archive, and on a system.
type extra struct {
	archive, system string
	text            []byte
}

// archive writes base.tar.gz: one folder, files of nobody, all of the commit's time.
func (r *release) archive(base, binary string) error {
	program, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	zip, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(zip)
	add := func(name string, mode int64, data []byte) error {
		if err := t.WriteHeader(&tar.Header{Name: base + "/" + name, Mode: mode, Size: int64(len(data)), ModTime: r.at, Format: tar.FormatUSTAR}); err != nil {
			return err
		}
		_, err := t.Write(data)
		return err
	}
	if err := add("groove", 0o755, program); err != nil {
		return err
	}
	for _, e := range r.extras {
		if err := add(e.archive, 0o644, e.text); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	return r.write(base+".tar.gz", buf.Bytes())
}

func (r *release) write(name string, data []byte) error {
	r.made = append(r.made, name)
	return os.WriteFile(filepath.Join(r.out, name), data, 0o644)
}

// zipped is gzip without a name or a time.
func zipped(data []byte) ([]byte, error) {
	var buf bytes.Buffer
	zip, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := zip.Write(data); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
