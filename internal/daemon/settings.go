package daemon

import (
	"context"
	"os"
	"reflect"
	"slices"
	"strings"

	"groove/internal/api"
	"groove/internal/audit"
	"groove/internal/config"
	"groove/internal/groove"
	"groove/internal/store"
)

// Settings is api.Host.
func (d *daemon) Settings(context.Context) ([]api.Setting, error) {
	next := map[string]config.Setting{}
	if c, err := config.Load(d.opts.Home, os.Environ(), d.opts.Flags); err == nil { // else what comes is not known
		for _, s := range c.Settings() {
			next[s.Key] = s
		}
	}
	out := []api.Setting{}
	for _, s := range d.cfg.Settings() {
		one := api.Setting{Key: s.Key, Value: s.Value, Origin: s.Origin, Allowed: s.Allowed}
		if n, ok := next[s.Key]; ok && !reflect.DeepEqual(n.Value, s.Value) {
			one.Next = &api.Next{Value: n.Value, Origin: n.Origin}
		}
		out = append(out, one)
	}
	return out, nil
}

// SetSetting is api.Host. What describes programs is a command line of the user's: it is
// written where its whole stands before the user's eyes.
func (d *daemon) SetSetting(ctx context.Context, key, value string) (api.Setting, error) {
	const op = "set configuration"
	if strings.HasPrefix(key, "programs.") {
		return api.Setting{}, groove.Errorf(op, groove.KindConfigInvalid, "%.100q describes a program, which no page changes", key).WithFix("groove config edit")
	}
	if _, err := config.Set(d.opts.Home, key, value); err != nil {
		return api.Setting{}, err
	}
	d.log.Info("setting written", "key", key)
	// Its value may be a secret, as the address of a notification is.
	if err := d.store.Do(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		d.audit.Append(tx, audit.Entry{Event: "setting", Detail: key})
		return nil
	}); err != nil {
		return api.Setting{}, err
	}
	all, err := d.Settings(ctx)
	if err != nil {
		return api.Setting{}, err
	}
	if i := slices.IndexFunc(all, func(s api.Setting) bool { return s.Key == key }); i >= 0 {
		return all[i], nil
	}
	return api.Setting{}, groove.Errorf(op, groove.KindConfigInvalid, "%.100q: no such setting", key)
}
