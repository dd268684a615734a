// The browser's page: trades the code of `groove open` for a bearer, shows how the daemon
// stands, and follows its events. All text of others is put in as text, never as HTML.
const key = "groove.bearer";
const $ = (id) => document.getElementById(id);
const say = (text) => { $("state").textContent = text; };

class Refusal extends Error {
  constructor(problem) {
    super(problem.detail || "the daemon refused");
    this.status = problem.status;
    this.kind = problem.kind;
  }
}

async function call(method, path, body) {
  const headers = {};
  const bearer = sessionStorage.getItem(key);
  if (bearer) headers.Authorization = "Bearer " + bearer;
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  if (answer.status === 204) return null;
  const said = await answer.json();
  if (!answer.ok) throw new Refusal(said);
  return said;
}

// enter takes the code out of the address, before anything can keep it, and trades it.
async function enter() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (!code) return;
  history.replaceState(null, "", location.pathname);
  sessionStorage.removeItem(key);
  const session = await call("POST", "/api/session", { code });
  sessionStorage.setItem(key, session.token);
}

function line(text, more) {
  const li = document.createElement("li");
  li.append(text);
  if (more) {
    const small = document.createElement("span");
    small.className = "muted";
    small.textContent = "  " + more;
    li.append(small);
  }
  return li;
}

function fill(id, list, show, none) {
  $(id).replaceChildren(...(list.length ? list.map(show) : [line(none)]));
}

function show(s) {
  const facts = [
    ["name", s.status.name], ["ID", s.status.id], ["version", s.status.version], ["home", s.status.home],
    ["bridge port", s.status.gate.open ? "open, a scan sees it " + s.status.gate.scan : "not open: nobody is paired"],
    ["messages waiting", String(s.status.waiting)],
  ];
  $("daemon").replaceChildren(...facts.flatMap(([name, value]) => {
    const dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = name;
    dd.textContent = value;
    return [dt, dd];
  }));
  $("problems").hidden = s.status.problems.length === 0;
  $("problems").querySelector("ul").replaceChildren(...s.status.problems.map((p) => line(p.detail, p.fix)));
  fill("approvals", s.approvals, (a) => line(a.title, "groove approve " + a.id), "none");
  fill("agents", s.agents.concat(s.remoteAgents), (a) =>
    line(a.peerName ? a.agent + "@" + a.peerName : a.name, [a.status, a.activity !== a.status && a.activity, a.summary].filter(Boolean).join(", ")), "none runs");
  fill("jobs", s.jobs.filter((j) => j.state !== "closed"), (j) => line(j.title, j.state + ", " + j.jobId.slice(0, 8)), "none is open");
  fill("peers", s.peers, (p) => line(p.name, [p.state, p.connected ? "connected" : "", p.problem].filter(Boolean).join(", ")), "no machine is paired");
  $("closed").hidden = true;
  $("main").hidden = false;
}

function shut(text) {
  say(text);
  $("main").hidden = true;
  $("closed").hidden = false;
}

// follow shows the state and draws it anew when events come, at most twice a second.
async function follow() {
  const s = await call("GET", "/api/snapshot");
  show(s);
  let since = s.next, drawing = null;
  const { ticket } = await call("POST", "/api/tickets");
  const socket = new WebSocket("ws://" + location.host + "/api/events?since=" + since + "&ticket=" + encodeURIComponent(ticket));
  socket.onopen = () => say("connected");
  socket.onmessage = (m) => {
    for (const e of JSON.parse(m.data)) if (e.n) since = e.n;
    drawing ??= setTimeout(async () => {
      drawing = null;
      try { show(await call("GET", "/api/snapshot")); } catch { /* the socket's end tells */ }
    }, 500);
  };
  return new Promise((resolve) => { socket.onclose = resolve; });
}

async function run() {
  let wait = 500;
  for (;;) {
    try {
      await enter();
      await follow();
      wait = 500;
      say("the daemon went away; connecting again");
    } catch (e) {
      if (e instanceof Refusal && e.status === 401) {
        sessionStorage.removeItem(key);
        return shut(e.message);
      }
      say(e instanceof Refusal ? e.message : "the daemon does not answer; trying again");
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(wait * 2, 15000);
  }
}

$("leave").onclick = async () => {
  try { await call("DELETE", "/api/session"); } catch { /* it has ended already */ }
  sessionStorage.removeItem(key);
  shut("signed out");
};
addEventListener("hashchange", () => location.reload());
run();
