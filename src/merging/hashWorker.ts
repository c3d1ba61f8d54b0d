import { parentPort, workerData } from "node:worker_threads";
import { hashFile } from "./fileHashes";

parentPort!.postMessage(new Map((workerData as readonly string[]).map((file) => [file, hashFile(file)])));
