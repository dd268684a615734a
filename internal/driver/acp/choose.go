package acp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"groove/internal/groove"
)

// offer is what a program lets its client choose in a session. Programs tell modes
// and models in members of their own, as options with a category, or in both.
type offer struct {
	Modes *struct {
		Available []struct {
			ID string `json:"id"`
		} `json:"availableModes"`
	} `json:"modes"`
	Models *struct {
		Available []struct {
			ID string `json:"modelId"`
		} `json:"availableModels"`
	} `json:"models"`
	Options []option `json:"configOptions"`
}

type option struct {
	ID       string `json:"id"`
	Category string `json:"category"`
	Current  any    `json:"currentValue"` // a switch's is a bool
	Values   []struct {
		Value string `json:"value"`
	} `json:"options"`
}

// choose sets the launch's mode and model. A program that refuses them is not run: it
// would act without asking, or at another price.
func (s *session) choose(ctx context.Context) error {
	if s.l.Mode != "" {
		s.step(groove.StepMode)
		if err := s.set(ctx, "mode", s.l.Mode, s.offer.Modes != nil || s.option("mode") == nil); err != nil {
			return err
		}
	}
	if s.l.Model == "" {
		return nil
	}
	if s.option("model") == nil && s.offer.Models == nil {
		return fmt.Errorf("it offers no choice of model, so that %s cannot be chosen", s.l.Model)
	}
	return s.set(ctx, "model", s.l.Model, s.option("model") == nil)
}

// set chooses by session/set_mode or session/set_model, or else by option.
func (s *session) set(ctx context.Context, what, value string, byMethod bool) error {
	method, params := "session/set_"+what, map[string]any{"sessionId": s.ID(), what + "Id": value}
	if !byMethod {
		method, params = "session/set_config_option", map[string]any{"sessionId": s.ID(), "configId": s.option(what).ID, "value": value}
	}
	if _, err := s.call(ctx, method, params, nil); err != nil {
		return fmt.Errorf("%s %s: %w%s", method, value, err, s.offered(what))
	}
	return nil
}

func (s *session) option(category string) *option {
	i := slices.IndexFunc(s.offer.Options, func(o option) bool { return o.Category == category })
	if i < 0 {
		return nil
	}
	return &s.offer.Options[i]
}

// offered lists what could have been chosen, for the user.
func (s *session) offered(what string) string {
	const most = 20
	var names []string
	if o := s.option(what); o != nil {
		for _, v := range o.Values {
			names = append(names, v.Value)
		}
	} else if what == "mode" && s.offer.Modes != nil {
		for _, m := range s.offer.Modes.Available {
			names = append(names, m.ID)
		}
	} else if what == "model" && s.offer.Models != nil {
		for _, m := range s.offer.Models.Available {
			names = append(names, m.ID)
		}
	}
	if len(names) > most {
		names = append(names[:most], "…")
	}
	if names == nil {
		return ""
	}
	return "; it offers " + strings.Join(names, ", ")
}
