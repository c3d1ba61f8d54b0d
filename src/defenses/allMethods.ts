import { dam } from "../dam";
import { dataFreeMethods, methodTable, type MethodTable } from "../merging";
import { testTimeMethods } from "../merging/adaptive";
import { purify } from "./purify";

/** Every merging method by name: those that look at parameters only, those that adapt to unlabelled images, and those that defend. */
export const allMethods: MethodTable = methodTable([...dataFreeMethods.values(), ...testTimeMethods, dam, purify]);
