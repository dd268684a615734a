package federation

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"
)

// BookOptions are what a Book needs. All members but Lookup are required.
type BookOptions struct {
	Dir     string // federation/peers; made with mode 0700
	Store   *store.Store
	Audit   *audit.Log
	Self    groove.DaemonID
	SelfKey ed25519.PublicKey
	Clock   groove.Clock
	Log     *slog.Logger
	// Lookup resolves a host name; nil: as the system is set up to.
	Lookup Lookup
}

// Damaged is a file or a row that makes no peer. The peer that it names is
// refused, the others go on.
type Damaged struct {
	File   string          `json:"file"`         // name in the folder
	Peer   groove.DaemonID `json:"peer"`         // "" where the file's name is no ID
	Reason string          `json:"reason"`       // for the user
	PK     int64           `json:"-"`            // of the active row, 0 = none
	Kind   groove.Kind     `json:"kind"`         // KindPeerDamaged or KindPeerNotPaired
	Fix    string          `json:"fix,omitzero"` // what the user can do
}

// Book is the list of peers: paired = the row is active, the file parses, and its
// key is the key of the row's ID. Lookups read a snapshot and never wait; all
// methods are safe for concurrent use.
type Book struct {
	opts BookOptions
	mu   sync.Mutex // one change at a time
	snap atomic.Pointer[snapshot]

	subsMu sync.Mutex
	subs   []func()

	hosts hostCache

	roamMu sync.Mutex
	last   map[int64]netip.Addr // by peer: where its last verified connection came from
}

// snapshot is the book at one moment. It is never changed.
type snapshot struct {
	active   []groove.Peer // by name
	all      []groove.Peer // with those in confirming
	byKey    map[[ed25519.PublicKeySize]byte]*groove.Peer
	byID     map[groove.DaemonID]*groove.Peer
	damaged  []Damaged
	pairings map[int64]progress
	ids      map[groove.DaemonID]int64 // every row, unpaired ones too
}

// OpenBook reads the folder and the rows, and finishes what a crash left half
// done. Damaged files do not fail it. It fails with KindStoreFull, KindInternal.
func OpenBook(ctx context.Context, opts BookOptions) (*Book, error) {
	if opts.Lookup == nil {
		opts.Lookup = systemLookup(new(net.Dialer).DialContext)
	}
	b := &Book{opts: opts}
	if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, groove.Wrap("open peers", groove.KindInternal, err)
	}
	if err := removeTemps(opts.Dir); err != nil {
		return nil, err
	}
	if err := b.loadHosts(ctx); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.reload(ctx); err != nil {
		return nil, err
	}
	for _, d := range b.Damaged() {
		opts.Log.Error("peer file refused", "file", d.File, "kind", d.Kind, "reason", d.Reason)
	}
	return b, nil
}

// Peers returns the paired daemons by name. The slice is shared: read it only.
func (b *Book) Peers() []groove.Peer { return b.snap.Load().active }

// All returns the paired daemons and those in confirming, by name; see
// Peer.State. The slice is shared: read it only.
func (b *Book) All() []groove.Peer { return b.snap.Load().all }

// Damaged returns what was refused in the folder, by file.
func (b *Book) Damaged() []Damaged { return b.snap.Load().damaged }

// ByID returns the paired daemon of this ID.
func (b *Book) ByID(id groove.DaemonID) (groove.Peer, bool) {
	if p := b.snap.Load().byID[id]; p != nil && p.State == groove.PeerActive {
		return *p, true
	}
	return groove.Peer{}, false
}

// ByPK returns the active peer of a store row.
func (b *Book) ByPK(pk int64) (groove.Peer, bool) {
	for _, p := range b.snap.Load().active { // a handful
		if p.PK == pk {
			return p, true
		}
	}
	return groove.Peer{}, false
}

// ByKey returns the paired daemon of this raw public key.
func (b *Book) ByKey(key ed25519.PublicKey) (groove.Peer, bool) {
	if len(key) != ed25519.PublicKeySize {
		return groove.Peer{}, false
	}
	if p := b.snap.Load().byKey[[ed25519.PublicKeySize]byte(key)]; p != nil {
		return *p, true
	}
	return groove.Peer{}, false
}

// OnChange has fn called after each change of the book, in the goroutine that
// made the change; fn must not change the book itself.
func (b *Book) OnChange(fn func()) {
	b.subsMu.Lock()
	defer b.subsMu.Unlock()
	b.subs = append(b.subs, fn)
}

func (b *Book) notify() {
	b.subsMu.Lock()
	subs := slices.Clone(b.subs)
	b.subsMu.Unlock()
	for _, fn := range subs {
		fn()
	}
}

// change commits fn, brings files and snapshot to the rows, and tells those who
// asked. What is committed is done even if ctx ends meanwhile.
func (b *Book) change(ctx context.Context, fn func(*store.Tx) (changed bool, err error)) error {
	changed, err := b.changeLocked(ctx, fn)
	if changed {
		b.notify()
	}
	return err
}

func (b *Book) changeLocked(ctx context.Context, fn func(*store.Tx) (bool, error)) (changed bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	err = b.opts.Store.Do(ctx, func(tx *store.Tx) (err error) {
		changed, err = fn(tx)
		return err
	})
	if err != nil || !changed {
		return false, err
	}
	return true, b.reload(context.WithoutCancel(ctx))
}

// reload makes the snapshot from rows and files. The rows lead: a file that is due
// is written, the file of an unpaired row removed. Callers hold b.mu.
func (b *Book) reload(ctx context.Context) error {
	rows, err := readProgress(ctx, b.opts.Store.Read())
	if err != nil {
		return err
	}
	var failed error
	for i := range rows {
		if err := b.finish(ctx, &rows[i]); err != nil && failed == nil {
			failed = err
		}
	}
	entries, err := os.ReadDir(b.opts.Dir)
	if err != nil {
		return groove.Wrap("read peers", groove.KindInternal, err)
	}
	s := &snapshot{byKey: map[[ed25519.PublicKeySize]byte]*groove.Peer{}, byID: map[groove.DaemonID]*groove.Peer{},
		pairings: map[int64]progress{}, ids: map[groove.DaemonID]int64{}}
	files := map[string]bool{}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			files[e.Name()] = true
		}
	}
	for _, row := range rows {
		b.place(s, row, files)
	}
	for name := range files {
		id := groove.DaemonID(strings.TrimSuffix(name, fileEnd))
		if !id.Valid() || !strings.HasSuffix(name, fileEnd) {
			id = ""
		}
		s.damaged = append(s.damaged, Damaged{File: name, Peer: id, Kind: groove.KindPeerNotPaired,
			Reason: "no paired daemon has this file", Fix: "remove " + filepath.Join(b.opts.Dir, name)})
	}
	s.index()
	b.snap.Store(s)
	return failed
}

// finish brings the file of one row to what the row says.
func (b *Book) finish(ctx context.Context, row *progress) error {
	name := string(row.id) + fileEnd
	switch {
	case row.state == groove.PeerUnpaired:
		return removeFile(b.opts.Dir, name)
	case row.fileDue():
		if err := writeFile(b.opts.Dir, name, row.file); err != nil {
			return err
		}
		row.file = nil
		return b.opts.Store.Do(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE pairing SET peer = NULL WHERE peer_pk = ?", row.pk)
			return err
		})
	}
	return nil
}

// place puts one row into the snapshot and takes its file off files.
func (b *Book) place(s *snapshot, row progress, files map[string]bool) {
	s.ids[row.id] = row.pk
	if row.open {
		s.pairings[row.pk] = row
	}
	name := string(row.id) + fileEnd
	var p groove.Peer
	var err error
	switch row.state {
	case groove.PeerActive:
		delete(files, name)
		p, err = readPeerFile(filepath.Join(b.opts.Dir, name))
		if err == nil && (p.ID == b.opts.Self || p.Key == groove.B64.EncodeToString(b.opts.SelfKey)) {
			err = groove.Errorf("read peer", groove.KindPeerDamaged, "it holds this daemon's own key")
		}
	case groove.PeerConfirming:
		p, err = decodePeer(row.file)
	default:
		return
	}
	if err != nil {
		s.damaged = append(s.damaged, Damaged{File: name, Peer: row.id, Reason: groove.AsError(err).Why(), PK: row.pk, Kind: groove.KindPeerDamaged,
			Fix: "repair " + filepath.Join(b.opts.Dir, name) + " and start groove again, or groove federation unpair " + row.id.Short()})
		return
	}
	p.PK, p.State = row.pk, row.state
	s.all = append(s.all, p)
}

func (s *snapshot) index() {
	slices.SortFunc(s.all, func(a, b groove.Peer) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(s.damaged, func(a, b Damaged) int { return cmp.Compare(a.File, b.File) })
	for i := range s.all {
		p := &s.all[i]
		s.byID[p.ID] = p
		if p.State != groove.PeerActive {
			continue
		}
		s.active = append(s.active, *p)
		if key, ok := decodeB64(p.Key, ed25519.PublicKeySize); ok {
			s.byKey[[ed25519.PublicKeySize]byte(key)] = p
		}
	}
}
