// tardis-dev's own mappers on recorded frames: what a message costs from its text to the JSON of what it means.
//
//     node tardis_dev.mjs TARDIS_DEV_DIRECTORY < JOB
//
// JOB: {"exchange", "kind", "repeats", "before": [[text, ns]], "frames": [[text, ns]]}. Answers {"seconds", "messages"}:
// CPU seconds of the whole process for the frames, once for each repeat; and how many messages were written in the last.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(pathToFileURL(process.argv[2] + '/').href)
const tardis = await import(pathToFileURL(require.resolve('tardis-dev')).href)
const { computeBookSnapshots, normalizeBookChanges, normalizeBookTickers, normalizeDerivativeTickers, normalizeTrades } =
  tardis.default ?? tardis

const NORMALIZERS = {
  book: normalizeBookChanges, trade: normalizeTrades, quote: normalizeBookTickers, funding: normalizeDerivativeTickers
}
const SNAPSHOTS = { name: 'top', depth: 20, interval: 0 }

const read = async () => {
  const pieces = []
  for await (const piece of process.stdin) pieces.push(piece)
  return JSON.parse(Buffer.concat(pieces).toString())
}

const job = await read()
const time = (ns) => new Date(Math.floor(ns / 1e6))

const line = () => {
  const mapper = NORMALIZERS[job.kind](job.exchange, time(job.frames[0][1]))
  const books = new Map(), open = computeBookSnapshots(SNAPSHOTS)
  let written = 0, bytes = 0
  const write = (message) => { bytes += JSON.stringify(message).length; written += 1 }
  return {
    take: (text, received) => {
      const message = JSON.parse(text)
      if (!mapper.canHandle(message)) return
      for (const normal of mapper.map(message, received) ?? []) {
        if (job.kind !== 'book') { write(normal); continue }
        if (!books.has(normal.symbol)) books.set(normal.symbol, open())
        for (const snapshot of books.get(normal.symbol).compute(normal)) write(snapshot)
      }
    },
    written: () => written
  }
}

const before = job.before.map(([text, ns]) => [text, time(ns)])
const frames = job.frames.map(([text, ns]) => [text, time(ns)])
const seconds = []
let messages = 0
for (let repeat = 0; repeat < job.repeats; repeat += 1) {
  const { take, written } = line()
  for (const [text, received] of before) take(text, received)
  const already = written(), began = process.cpuUsage()
  for (const [text, received] of frames) take(text, received)
  const { user, system } = process.cpuUsage(began)
  seconds.push((user + system) / 1e6)
  messages = written() - already
}
process.stdout.write(JSON.stringify({ seconds, messages }))
