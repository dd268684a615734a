package main

import (
	"debug/buildinfo"
	"encoding/json"
	"runtime/debug"
	"time"
)

// component is one part of a program (CycloneDX 1.5).
type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl,omitempty"`
}

// bill writes the bill of materials of a binary: the modules that the linker says are
// in it, and Go itself.
func (r *release) bill(name, binary string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	self := component{"application", "groove", "groove", r.version, "pkg:golang/groove@" + r.version}
	parts := []component{{"library", "std", "std", info.GoVersion, "pkg:golang/std@" + info.GoVersion}}
	refs := []string{"std"}
	for _, m := range info.Deps {
		for m.Replace != nil {
			m = m.Replace
		}
		parts = append(parts, library(m))
		refs = append(refs, parts[len(parts)-1].Ref)
	}
	doc := map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
		"metadata":     map[string]any{"timestamp": r.at.Format(time.RFC3339), "component": self},
		"components":   parts,
		"dependencies": []any{map[string]any{"ref": "groove", "dependsOn": refs}},
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	return r.write(name, append(text, '\n'))
}

func library(m *debug.Module) component {
	purl := "pkg:golang/" + m.Path + "@" + m.Version
	return component{"library", purl, m.Path, m.Version, purl}
}
