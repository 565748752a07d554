declare module 'axios/dist/browser/axios.cjs' {
  export { default } from 'axios'
}
