import { parentPort, workerData } from "node:worker_threads";
import { hashAll } from "./fileHashes";

void hashAll(workerData as readonly string[]).then((hashes) => parentPort!.postMessage(hashes));
