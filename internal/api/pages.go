package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"groove/internal/groove"
)

// minRef is the shortest prefix of an ID that is taken for it.
const minRef = 4

// Paging chooses a page of a list that can be long.
type Paging struct {
	Limit int    `query:"limit" default:"1000" minimum:"1" maximum:"1000"`
	After string `query:"after" maxLength:"200" doc:"of the Link header of the page before"`
	path  string
	query string
}

// Resolve is for huma: the address of the next page is that of this one.
func (p *Paging) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	p.path, p.query = u.Path, u.RawQuery
	return nil
}

// page is one page of a list; Link names the next one (RFC 8288).
type page[T any] struct {
	Link string `header:"Link" doc:"<…>; rel=\"next\": the page after this one; absent at the end"`
	Body []T
}

// paged cuts the page out of the whole list. after is the key of the last one before it;
// one that is gone meanwhile begins where it would stand in a sorted list, or anew.
func paged[T any](all []T, err error, in Paging, key func(*T) string) (*page[T], error) {
	if err != nil {
		return nil, err
	}
	if in.After != "" {
		at := slices.IndexFunc(all, func(v T) bool { return key(&v) == in.After })
		if at < 0 {
			return nil, groove.Errorf("list", groove.KindExpired, "the page is gone: %s is not in the list any more", groove.CleanLabel(in.After, 64)).WithFix("begin at the first page")
		}
		all = all[at+1:]
	}
	out := &page[T]{Body: filled(all)}
	if in.Limit > 0 && len(all) > in.Limit {
		out.Body = all[:in.Limit]
		out.Link = in.next(key(&out.Body[in.Limit-1]))
	}
	return out, nil
}

// next names the page after the one that ends with last.
func (p *Paging) next(last string) string {
	query, err := url.ParseQuery(p.query)
	if err != nil { // then huma has refused it
		query = url.Values{}
	}
	query.Set("limit", strconv.Itoa(p.Limit))
	query.Set("after", last)
	return "<" + p.path + "?" + query.Encode() + `>; rel="next"`
}

// one finds what ref is the ID of, or a unique prefix.
func one[T any](all []T, ref string, key func(*T) string, what string, unknown groove.Kind, fix string) (T, error) {
	var found, zero T
	hits := 0
	for i := range all {
		switch id := key(&all[i]); {
		case id == ref:
			return all[i], nil
		case len(ref) >= minRef && strings.HasPrefix(id, ref):
			found = all[i]
			hits++
		}
	}
	switch hits {
	case 1:
		return found, nil
	case 0:
		return zero, groove.Errorf("find "+what, unknown, "no %s is called %q", what, groove.CleanLabel(ref, 64)).WithFix(fix)
	}
	return zero, groove.Errorf("find "+what, groove.KindAmbiguous, "%q is the beginning of several", groove.CleanLabel(ref, 64)).WithFix("give more of it")
}
