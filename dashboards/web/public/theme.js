// Runs before the first paint (a plain script in the head): no flash of the other theme.
const storedTheme = localStorage.getItem('cryptos-theme')
if (storedTheme === 'dark' || storedTheme === 'light') document.documentElement.dataset['theme'] = storedTheme
