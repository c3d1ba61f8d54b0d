import { dataFreeMethods, methodTable, type MethodTable } from "../merging";
import { testTimeMethods } from "../merging/adaptive";
import { dam } from "./dam";

/** Every merging method by name: those that look at parameters only, those that adapt to unlabelled images, and DAM. */
export const allMethods: MethodTable = methodTable([...dataFreeMethods.values(), ...testTimeMethods, dam]);
