package groove

import (
	"html"
	"strings"
)

// Fence shows a letter to a model as data: its text and attachments between
// marked lines that name the message, its sender and its job. mark is 16 random
// hex digits, new for each call, which the text cannot know and so cannot end the
// block by itself. Attribute values are escaped, text is not.
func Fence(mark string, l *Letter) string {
	var b strings.Builder
	size := 512 + len(l.Message.Text)
	for _, a := range l.Message.Attachments {
		size += 256 + len(a.Text)
	}
	b.Grow(size)
	b.WriteString("<groove-message")
	attribute(&b, "mark", mark)
	attribute(&b, "id", l.ID.String())
	attribute(&b, "from", senderOf(l))
	attribute(&b, "from-daemon", or(string(l.FromDaemon), "local"))
	attribute(&b, "job", or(string(l.Job), "-"))
	attribute(&b, "reply-to", or(l.ReplyTo.String(), "-"))
	b.WriteString(">\n")
	b.WriteString(l.Message.Text)
	for _, a := range l.Message.Attachments {
		b.WriteString("\n<groove-attachment")
		attribute(&b, "mark", mark)
		attribute(&b, "name", a.Name)
		attribute(&b, "media-type", a.MediaType)
		b.WriteString(">\n")
		b.WriteString(a.Text)
		endTag(&b, "groove-attachment", mark)
	}
	endTag(&b, "groove-message", mark)
	return b.String()
}

// FenceBriefing marks a text as groove's own: what an agent is told of itself and
// its team. mark is as in Fence.
func FenceBriefing(mark, text string) string {
	var b strings.Builder
	b.Grow(128 + len(text))
	b.WriteString("<groove-briefing")
	attribute(&b, "mark", mark)
	b.WriteString(">\n" + text)
	endTag(&b, "groove-briefing", mark)
	return b.String()
}

// UserLine shows a letter of this daemon's own user in the user's voice: the text
// and its attachments, then a last line that names the message. It is for letters
// whose FromUser is true, and for nobody else's.
func UserLine(l *Letter) string {
	var b strings.Builder
	b.WriteString(l.Message.Text)
	for _, a := range l.Message.Attachments {
		b.WriteString("\n\n" + a.Name + " (" + a.MediaType + "):\n" + a.Text)
	}
	b.WriteString("\n(groove message " + l.ID.String() + ")")
	return b.String()
}

// senderOf is agent@daemon as people read it; the daemon's name is a label, the
// from-daemon attribute is what counts.
func senderOf(l *Letter) string {
	switch {
	case l.FromDaemon == "":
		return string(l.From)
	case l.FromName == "":
		return string(l.From) + "@" + l.FromDaemon.Short()
	}
	return string(l.From) + "@" + l.FromName
}

func attribute(b *strings.Builder, name, value string) {
	b.WriteString(" " + name + `="`)
	b.WriteString(html.EscapeString(value))
	b.WriteByte('"')
}

func endTag(b *strings.Builder, name, mark string) {
	b.WriteString("\n</" + name)
	attribute(b, "mark", mark)
	b.WriteString(">")
}

func or(value, empty string) string {
	if value == "" {
		return empty
	}
	return value
}
