export { type Displayable, displaySymbol, isDisplayable, type MimeBundle, pictureMetadata } from "./mime";
