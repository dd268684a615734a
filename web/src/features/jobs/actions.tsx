import { ChevronDown, Pause, Play, Timer, X } from "lucide-react";
import { useState } from "react";
import { api, unwrap, type Job } from "~/api/client";
import { useLink } from "~/api/state";
import { Button } from "~/ui/button";
import { Confirm, type Question } from "~/ui/confirm";
import { Menu } from "~/ui/controls";
import { say, sayFailed } from "~/ui/toast";

const away = "the daemon does not answer";

/** What its user may do with a job. A close names what waits. */
export function JobActions({ job }: { job: Job }) {
  const [question, ask] = useState<Question>();
  const off = useLink().state !== "open" ? away : undefined;
  const body = { jobId: job.jobId };
  const act = async (what: string, done: string, call: () => Promise<unknown>) => {
    try {
      await call();
      say(done);
    } catch (cause) {
      sayFailed(what, cause);
    }
  };
  if (job.state === "closed") {
    return (
      <Button size="sm" className="mt-3" disabled={!!off} title={off ?? "A new job with the same contract; what waits moves over"} onClick={() => void act("Not opened anew", "A new job with the same contract is being opened", () => unwrap(api.POST("/api/federation/bridge/reopen", { body })))}>
        <Play size={14} /> Open anew
      </Button>
    );
  }
  const waiting = (job.legs ?? []).reduce((n, l) => n + l.waiting, 0);
  const extend = (hours: number) => void act("Not extended", `The peer was asked: the job would end in ${hours} h`, () => unwrap(api.POST("/api/federation/bridge/extend", { body: { ...body, for: hours * 3600 } })));
  const close = () =>
    ask({
      title: `Close ${job.title}?`,
      yes: waiting > 0 ? `Close it with ${waiting} waiting` : "Close the job",
      no: "Keep it open",
      text: (
        <>
          Its agents here and there can no longer write to each other.{" "}
          {waiting > 0 && `${waiting} ${waiting === 1 ? "message waits" : "messages wait"}: ${waiting === 1 ? "it stays" : "they stay"}, and ${waiting === 1 ? "moves" : "move"} over when you open the job anew.`}
        </>
      ),
      act: () => unwrap(api.POST("/api/federation/bridge/close", { body })).then(() => say("The job is closed")),
    });
  return (
    <div className="mt-3 flex flex-wrap gap-2">
      <Menu
        label="The job ends in"
        trigger={
          <Button size="sm" disabled={!!off} title={off ?? "Ask the peer for a later end"} className="flex-1">
            <Timer size={14} /> Extend <ChevronDown size={12} />
          </Button>
        }
        items={[1, 2, 4, 8, 24].map((h) => ({ label: `To ${h} h from now`, onSelect: () => extend(h) }))}
      />
      {job.state === "paused" ? (
        <Button size="sm" disabled={!!off} title={off} className="flex-1" onClick={() => void act("Not resumed", "The job goes on", () => unwrap(api.POST("/api/federation/bridge/resume", { body })))}>
          <Play size={14} /> Resume
        </Button>
      ) : (
        <Button size="sm" disabled={!!off} title={off ?? "Messages wait until it is resumed"} className="flex-1" onClick={() => void act("Not paused", "The job is paused: messages wait", () => unwrap(api.POST("/api/federation/bridge/pause", { body })))}>
          <Pause size={14} /> Pause
        </Button>
      )}
      <Button size="sm" look="danger" disabled={!!off} title={off} onClick={close}>
        <X size={14} /> Close
      </Button>
      <Confirm question={question} onClose={() => ask(undefined)} />
    </div>
  );
}
