import { Dialog } from "~/ui/controls";
import { Kbd } from "~/ui/button";

const sheet: [string, [string, string][]][] = [
  [
    "Anywhere",
    [
      ["⌘ K, Ctrl K", "Find or do"],
      ["?", "This sheet"],
      ["N", "Spawn an agent"],
      ["P", "Pair a machine"],
      ["⇧ L", "Light or dark"],
      ["Esc", "Close what is open"],
    ],
  ],
  [
    "Go to",
    [
      ["G A", "Agents"],
      ["G J", "Jobs"],
      ["G I", "Approvals"],
      ["G P", "Projects"],
      ["G D", "Dashboard"],
      ["G U", "Audit"],
      ["G S", "Settings"],
    ],
  ],
  [
    "In a view",
    [
      ["J, K", "Next, previous question"],
      ["A, D", "Approve, decline the one in view"],
      ["M", "Write to the agent in view"],
      ["O", "Wide view of the agent"],
      [".", "Interrupt its turn"],
      ["⏎", "Send"],
      ["⌘ ⏎", "Steer the running turn"],
      ["⇧ ⏎", "New line"],
    ],
  ],
];

export function KeySheet({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard" wide>
      <div className="grid grid-cols-3 gap-6 max-md:grid-cols-1">
        {sheet.map(([title, rows]) => (
          <section key={title}>
            <h3 className="mb-2 text-text-3">{title}</h3>
            <dl className="flex flex-col gap-1.5">
              {rows.map(([keys, what]) => (
                <div key={keys} className="flex items-center justify-between gap-3">
                  <dt>{what}</dt>
                  <dd className="flex gap-1">
                    {keys.split(" ").map((k, i) => (
                      <Kbd key={i}>{k}</Kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
