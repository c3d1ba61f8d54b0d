export { buildMembers, buildZoo, type BuildZooOptions } from "./build";
export { DESK_CONFIG } from "./deskConfig";
export { DESK_RECIPE, type MemberTraining, type PretrainingImages, type ZooMember, type ZooRecipe } from "./recipe";
export { verifyZoo, type VerifyZooOptions, type ZooCheck } from "./verify";
export { deskFolder, loadZooTrigger, loadZooTriggers, readZoo, type ZooList, type ZooModel, type ZooTrigger } from "./zooFile";
