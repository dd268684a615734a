package store_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"groove/internal/store"
)

// BenchmarkStoreDo is one committed 1 KiB row a call, by one caller and by 64 at
// once. BenchmarkSync is its floor: what the disk takes to write 4 KiB for good.
func BenchmarkStoreDo(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(strconv.Itoa(callers), func(b *testing.B) {
			st := fresh(b)
			c := &counter{}
			st.SetTrailer(c)
			body := make([]byte, 1024)
			var n atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			parallel(b, callers, func() error {
				return st.Do(context.Background(), func(tx *store.Tx) error {
					_, err := tx.Exec("INSERT INTO note(n, text) VALUES(?,?)", n.Add(1), body)
					return err
				})
			})
			b.ReportMetric(float64(b.N)/float64(c.commits), "calls/commit")
		})
	}
}

// parallel makes b.N calls from so many goroutines.
func parallel(b *testing.B, callers int, call func() error) {
	var left atomic.Int64
	left.Store(int64(b.N))
	ended := make(chan struct{}, callers)
	for range callers {
		go func() {
			defer func() { ended <- struct{}{} }()
			for left.Add(-1) >= 0 {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
			}
		}()
	}
	for range callers {
		<-ended
	}
}

func BenchmarkSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	const pages = 1000 // written again and again, as a WAL is
	for i := range int64(pages) {
		if _, err := f.WriteAt(page, i*4096); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for i := range b.N {
		if _, err := f.WriteAt(page, int64(i%pages)*4096); err != nil {
			b.Fatal(err)
		}
		if err := datasync(f); err != nil {
			b.Fatal(err)
		}
	}
}
