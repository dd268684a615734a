import { act, render, screen } from "@testing-library/react";
import { Suspense } from "react";
import { expect, test } from "vitest";
import { fetchAgain, later } from "./later";

const Part = ({ name }: { name: string }) => <p>{name}</p>;

test("what was fetched before draws at once", async () => {
  const Later = later(() => Promise.resolve(Part));
  await Later.fetch();
  render(<Later name="here" />);
  expect(screen.getByText("here")).toBeTruthy();
});

test("what was not comes when it is drawn", async () => {
  let come: (part: typeof Part) => void = () => {};
  const Later = later(() => new Promise<typeof Part>((resolve) => (come = resolve)));
  await act(async () => {
    render(
      <Suspense fallback="wait">
        <Later name="there" />
      </Suspense>,
    );
  });
  expect(screen.getByText("wait")).toBeTruthy();
  await act(async () => come(Part));
  expect(screen.getByText("there")).toBeTruthy();
});

test("what did not come is asked for again", async () => {
  let tries = 0;
  const Later = later(() => (tries++ ? Promise.resolve(Part) : Promise.reject(new Error("away"))));
  await expect(Later.fetch()).rejects.toThrow("away");
  await expect(Later.fetch()).rejects.toThrow("away"); // who waits for it is told once
  fetchAgain();
  await Later.fetch();
  render(<Later name="back" />);
  expect(screen.getByText("back")).toBeTruthy();
});
