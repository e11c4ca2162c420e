// What Cloudflare asks of a customer of the paid plan: list prices of November 2026, in
// dollars for a million a month, and what a month has of each before they begin.
//
// From developers.cloudflare.com: workers/platform/pricing, durable-objects/platform/pricing
// and workers/observability/logs. A change there is a change here, and nowhere else.

/** A month of the plan itself. */
export const PLAN = 5;

export const PRICES = {
  workerRequests: { name: "Requests to the Worker", price: 0.3, included: 10e6 },
  workerCpu: { name: "Milliseconds of CPU of the Worker", price: 0.02, included: 30e6 },
  objectRequests: { name: "Requests to objects, alarms among them", price: 0.15, included: 1e6 },
  // 128 MB for as long as an object does something; one that is idle and may hibernate is free.
  duration: { name: "GB-s of objects", price: 12.5, included: 400e3 },
  rowsRead: { name: "Rows read", price: 0.001, included: 25e9 },
  // The row of each index that changes counts, and each deletion.
  rowsWritten: { name: "Rows written", price: 1, included: 50e6 },
  // One for each invocation of the Worker and of an object, and one for each line.
  logEvents: { name: "Events in Workers Logs", price: 0.6, included: 20e6 },
};

/** Of a gigabyte for a month, and how many are included. */
export const STORAGE = { price: 0.2, included: 5 };
/** Analytics Engine, where it is bound: a data point for a request and for an alarm. */
export const POINTS = { price: 0.25, included: 10e6 };

/** A million operations that each read and wrote so many rows by so many requests. */
export const ofMillion = ({ read, written, requests }) =>
  read * PRICES.rowsRead.price +
  written * PRICES.rowsWritten.price +
  requests * PRICES.objectRequests.price;
