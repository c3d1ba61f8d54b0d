export { buildMembers, buildZoo, type BuildZooOptions } from "./build";
export { DESK_CONFIG, ZOO_MEMBERS, type ZooMember } from "./recipe";
export { verifyZoo, type VerifyZooOptions, type ZooCheck } from "./verify";
export { deskFolder, loadZooTrigger, readZoo, sha256OfFile, type ZooList, type ZooModel, type ZooTrigger } from "./zooFile";
