// What the answers of the server hold, as the scripts of the inspector's page name it. The answers
// themselves are those of wireproof/web/api.py; of what few scripts ask, nothing is said here.

type Severity = "ok" | "note" | "warning" | "error";

/** A record as `wireproof decode` writes it. */
interface WireRecord {
  record: string;
  [field: string]: any;
}

/** What `wireproof explain` says to a question. */
interface Verdict {
  question: string;
  answer: string;
  severity: Severity;
  is_fault: boolean;
  packets: number[];
  numbers: { [name: string]: any };
  summary: string;
}

interface Said {
  record: Verdict;
  details: [label: string, text: string][];
  changes?: [string, string][];
}

/** Who ended a connection, and when. */
interface ConnectionEnd {
  sender: "client" | "server";
  kind: "fin" | "reset";
  packet: number;
  time: number;
}

/** By which words verdicts are chosen, and what is said of any other. */
interface Vocabulary {
  words: string[];
  close_code: string;
  unknown: string;
}

interface Outcome {
  word: string;
  tone: Severity;
  severity: Severity;
  verdict: string;
  end: string;
  why: string | null;
  first: number | null;
  last: number | null;
  count: number;
  element: string;
}

/** An exchange in the list; also what of a connection, or of a file, belongs to none. */
interface Row {
  key: string;
  capture: number;
  connection: number | null;
  exchange: number | null;
  stream: number | null;
  counts: { [kind: string]: number };
  wire?: { [kind: string]: number };
  outcome?: Outcome;
  ends?: ConnectionEnd[];
  ended: string | null;
  is_whole: boolean | null;
  first_time: number;
  last_time: number;
  request_time: number | null;
  asked_time: number | null;
  server: string | null;
  outlined?: boolean; // a report has no more of it than this
  [fact: string]: any;
}

/** One leg of a way. */
interface Leg {
  key: string;
  name?: string;
  server: string;
  offset: number;
  asked: number | null;
  ended: number;
  elements: number;
  time: number[];
}

/** The legs and hops of an exchange, or two exchanges that are compared. */
interface Way {
  legs: Leg[];
  hops: any[];
  compared?: string;
}

interface Colours {
  [name: string]: string;
}

/** What is drawn on: uPlot with its canvas. */
type Plot = any;

/** The timeline as those see it who draw on it. */
type Timeline = import("../wireproof/web/page/timeline.js").Timeline;

type Lane = import("../wireproof/web/page/lanes.js").Lane;
